// ICE restarts over the session's resource (RFC 9725, 4.3.1).

import { fragmentType, makeFragment, restarted } from './fragment.js';

const askAgainAfter = 1_000;

// restartICE seeks another path between pc and the server: it gathers anew, by the ICE servers that pc has now, and
// resolves once the server has agreed. It rejects where that refuses. over tells that the session has ended.
export async function restartICE(pc, signalling, over) {
  await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
  const fragment = await ask(signalling, makeFragment(pc.localDescription.sdp, []), over);
  await pc.setRemoteDescription({ type: 'answer', sdp: restarted(pc.remoteDescription.sdp, fragment) });
}

// While the network is away there is nobody to ask; the end of the session ends the asking.
async function ask(signalling, fragment, over) {
  for (;;) {
    try {
      return await signalling.patch(fragmentType, fragment, '*');
    } catch (failure) {
      if (failure.kind === 'http' || over()) {
        throw failure;
      }
    }
    await new Promise((resolve) => { setTimeout(resolve, askAgainAfter); });
    if (over()) {
      throw new Error('the session is over');
    }
  }
}
