// What a peer tells the test that started it: one JSON object a line on standard output.

export function tell(event, facts = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
}

// stopped resolves when the test asks the peer to leave.
export const stopped = new Promise((resolve) => {
  process.once('SIGTERM', resolve);
  process.once('SIGINT', resolve);
});
