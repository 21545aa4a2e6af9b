// Puts many cases before a till at once: reads from its input what each is, and says what came of it.
import { readFileSync } from 'node:fs';

const { till, keys, now, list, passes, lists } = JSON.parse(readFileSync(0, 'utf8'));
const { read, status } = await import(till);

function came(judged) {
  try {
    return judged();
  } catch { // as the till has it
    return null;
  }
}

function tier({ text, partner }) {
  const said = read(text, keys, partner, now);
  const at = said.get(65535).get('status_list');
  return status(list, keys, at.get('uri'), at.get('idx'), now) === 0 ? said.get(-65537).get(1) : null;
}

console.log(JSON.stringify({
  passes: passes.map((one) => came(() => tier(one))),
  lists: lists.map(({ text, uri, place }) => came(() => status(text, keys, uri, place, now))),
}));
