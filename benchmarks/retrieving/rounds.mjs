// Graphs of an app side by side: they take turns, and what counts are ratios within a round. For Node and for pages.
//
// A turn counts its fastest answer: other processes interrupt long answers more often than short ones, and a page cannot ask how
// much processor time was its own.

const LEAST_ROUNDS = 9;
const TURN = 5; // answers that count

/**
 * @param {Record<string, (history: number[]) => Promise<number[]>>} answers by name
 * @param {{ graph: string, reference: string, histories: number[][], seconds: number }} asked names of two of them
 */
export async function timed(answers, { graph, reference, histories, seconds }) {
  const names = [...new Set([graph, reference])];
  const items = [];
  for (const history of histories) items.push(await answers[graph](history));
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(names.map((name) => [name, []]));
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; performance.now() < end || round < LEAST_ROUNDS; round++) {
    for (const name of round % 2 ? names : [...names].reverse()) {
      times[name].push(await turn(answers[name], histories, round * TURN));
    }
  }
  return {
    ms: median(times[graph]),
    reference_ms: median(times[reference]),
    latency_ratio: median(times[graph].map((taken, round) => taken / times[reference][round])),
    rounds: times[graph].length,
    items,
  };
}

/** The least milliseconds of `TURN` answers; one before them warms the caches. */
async function turn(answer, histories, first) {
  let least = Infinity;
  for (let number = first; number <= first + TURN; number++) {
    const started = performance.now();
    await answer(histories[number % histories.length]);
    if (number > first) least = Math.min(least, performance.now() - started);
  }
  return least;
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
