// Tells the test that runs a script what came of each check, a line of JSON each.
const PATIENCE_SECONDS = 5;

export function tell(name, fault) {
  console.log(JSON.stringify({ name, fault: fault ?? null }));
}

export async function check(name, act) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("It took too long.")), PATIENCE_SECONDS * 1000);
  });
  try {
    await Promise.race([act(), late]);
    tell(name);
  } catch (error) {
    tell(name, String(error));
  }
  clearTimeout(timer);
}

export function need(met, found) {
  if (!met) throw new Error(`found ${found instanceof Error ? found : JSON.stringify(found)}`);
}

// To be called last: what a failed check left open would keep the script running.
export function done() {
  process.stdout.write("", () => process.exit());
}

// The first that an observable tells.
export function first(observable) {
  return new Promise((next, error) => {
    const following = observable.subscribe({
      next: (told) => {
        next(told);
        queueMicrotask(() => following.unsubscribe());
      },
      error,
      complete: () => error(new Error("It ended without a word.")),
    });
  });
}
