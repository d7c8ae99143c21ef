// Timing calls of a session inside the page: one stream, the next call after the last answer.

// A reading spans at least so many ticks of the clock, which bounds its rounding error at 5%.
const TICKS = 20;
const PROBE_STEPS = 2_000_000;
const PROBES = 5;
const YIELD_EVERY_MS = 250;

// The smallest step of performance.now(), milliseconds.
export function clockResolution() {
  let smallest = Infinity;
  for (let step = 0; step < 200; step += 1) {
    const before = performance.now();
    let after = before;
    while (after === before) after = performance.now();
    smallest = Math.min(smallest, after - before);
  }
  return smallest;
}

// How many calls one reading must span, if a call takes `callMs`.
export function callsOfReading(callMs, resolutionMs) {
  return Math.max(1, Math.ceil((TICKS * resolutionMs) / Math.max(callMs, resolutionMs / TICKS)));
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function probeOnce() {
  const began = performance.now();
  let state = 1;
  for (let step = 0; step < PROBE_STEPS; step += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  }
  const took = performance.now() - began;
  return state === 0 ? took + 1e-9 : took; // The state is used, so that no compiler drops the loop.
}

// A fixed loop: the median of a few, microseconds.
export function noiseProbe() {
  return 1000 * median(Array.from({ length: PROBES }, probeOnce));
}

// mulberry32: the same draws in every run.
function drawing(count, seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  };
}

const breathe = () => new Promise((resume) => setTimeout(resume, 0));

// Asks for `seconds` without keeping anything; returns what a call takes at its best, milliseconds:
// the fastest block of calls, each long enough for the clock.
async function warmUp(ask, draw, seconds, resolutionMs) {
  const began = performance.now();
  let fastest = Infinity;
  let blocks = 0;
  while (blocks < 2 || performance.now() - began < 1000 * seconds) {
    const start = performance.now();
    let calls = 0;
    while (calls === 0 || performance.now() - start < TICKS * resolutionMs) {
      await ask(draw());
      calls += 1;
    }
    fastest = Math.min(fastest, (performance.now() - start) / calls);
    blocks += 1;
  }
  return fastest;
}

// Readings of `calls` calls each: at least so many, and for at least `seconds`.
async function readingsOf(ask, draw, calls, { readings, seconds }) {
  const noise = [noiseProbe()];
  const taken = [];
  let apart = 0; // What probes and breaths took, which is nobody's latency.
  const began = performance.now();
  let breathed = began;
  const elapsed = () => performance.now() - began - apart;
  while (taken.length < readings || elapsed() < 1000 * seconds) {
    const rows = Array.from({ length: calls }, draw);
    const start = performance.now();
    for (const row of rows) await ask(row);
    const end = performance.now();
    taken.push((end - start) / calls);
    const isHalf = taken.length >= readings / 2 && elapsed() >= 500 * seconds;
    const isDue = noise.length === 1 && isHalf;
    if (isDue || end - breathed > YIELD_EVERY_MS) {
      if (isDue) noise.push(noiseProbe());
      await breathe();
      breathed = performance.now();
      apart += breathed - end;
    }
  }
  const elapsedMs = elapsed();
  noise.push(noiseProbe());
  return { taken, noise, elapsedMs };
}

// Asks at least `readings` times and for at least `seconds`; milliseconds a call of each reading.
export async function timeCalls(ask, count, { warmUpSeconds, seed, ...load }) {
  const draw = drawing(count, seed);
  for (let run = 0; run < 10; run += 1) noiseProbe(); // Until the loop is compiled.
  const resolutionMs = clockResolution();
  const expected = await warmUp(ask, draw, warmUpSeconds, resolutionMs);
  let calls = callsOfReading(expected, resolutionMs);
  let found = await readingsOf(ask, draw, calls, load);
  const needed = callsOfReading(median(found.taken), resolutionMs);
  if (needed > calls) {
    // The warm-up was disturbed, or still compiling: calls turned out too short for the clock.
    calls = needed;
    found = await readingsOf(ask, draw, calls, load);
  }
  return {
    about: { resolutionMs, calls, noiseUs: found.noise, elapsedMs: found.elapsedMs },
    latenciesMs: Float64Array.from(found.taken),
  };
}
