// The qualities in which a stream can be watched.

// layersOf reads the data of a layers event into a list of {rid, width, height, bitrate, selected}, in its order.
// Servers write a section's layers as an object with a list or as the list, and name them by rid or encodingId.
export function layersOf(data) {
  const sections = Object.values(data ?? {});
  const lists = sections.map((section) => (Array.isArray(section) ? section : (section?.layers ?? section?.active ?? [])));
  const seen = new Set();
  return lists.flat().map(layer).filter(({ rid }) => rid !== undefined && !seen.has(rid) && seen.add(rid));
}

function layer(each) {
  const { width, height, bitrate, selected = false } = each ?? {};
  return { rid: each?.encodingId ?? each?.rid ?? each?.id, width, height, bitrate, selected };
}

// qualities are the pairs of rid and label to choose from; '' is the server's own choice. There are none where
// there is nothing to choose.
export function qualities(layers, chosen = '') {
  if (layers.length < 2) {
    return [];
  }
  const labels = layers.map(size);
  const named = layers.map((each, at) => (labels.indexOf(labels[at]) === labels.lastIndexOf(labels[at]) ? labels[at] : exact(each)));
  const now = chosen === '' ? named[layers.findIndex(({ selected }) => selected)] : undefined;
  return [['', now ? `Auto (${now})` : 'Auto'], ...layers.map(({ rid }, at) => [rid, named[at]])];
}

function size({ rid, width, height }) {
  return width && height ? `${width} × ${height}` : rid;
}

function exact(each) {
  return each.bitrate ? `${size(each)} · ${Math.round(each.bitrate / 1000)} kbit/s` : `${size(each)} · ${each.rid}`;
}
