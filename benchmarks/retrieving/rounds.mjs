// Graphs of an app side by side: they take turns, and what counts are ratios within a round. For Node and for pages.

const LEAST_ROUNDS = 9;
const TURN_MS = 2;
const TURN = { least: 3, most: 16 };

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
  /** @type {Record<string, number>} */
  const lengths = {};
  for (const name of names) {
    const pilot = await turn(answers[name], histories, 0, TURN.least);
    lengths[name] = Math.min(Math.max(Math.floor(TURN_MS / pilot), TURN.least), TURN.most);
  }
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; performance.now() < end || round < LEAST_ROUNDS; round++) {
    for (const name of round % 2 ? names : [...names].reverse()) {
      times[name].push(await turn(answers[name], histories, round * lengths[name], lengths[name]));
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

/** The median milliseconds of `count` answers; one before them warms the caches. */
async function turn(answer, histories, first, count) {
  const taken = [];
  for (let number = first; number <= first + count; number++) {
    const started = performance.now();
    await answer(histories[number % histories.length]);
    taken.push(performance.now() - started);
  }
  return median(taken.slice(1));
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
