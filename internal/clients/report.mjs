// Tells what a client got: one line of JSON a step.

const names = [];

// name makes a text that the server chose stand as {name} from here on.
export function name(text, as) {
  names.push([text, `{${as}}`]);
  return text;
}

function named(value) {
  if (typeof value === 'string') {
    return names.reduce((text, [from, to]) => text.replaceAll(from, to), value);
  }
  if (Array.isArray(value)) return value.map(named);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => [k, named(v)]));
}

// step does one thing with a client and prints the facts that it returns, or the failure that it throws, as told by how.
export async function step(what, fn, how = (err) => ({ failed: err.message })) {
  let facts;
  try {
    facts = await fn();
  } catch (err) {
    facts = how(err);
  }
  console.log(JSON.stringify({ step: what, ...named(facts) }));
}

// outcome tells the first issue of an OperationOutcome.
export function outcome(resource) {
  const issue = resource?.issue?.[0];
  return { outcome: issue && `${issue.severity} ${issue.code}`, at: issue?.expression?.[0] };
}

// links are the relations of a Bundle's links, in their order.
export const links = (bundle) => (bundle.link ?? []).map((l) => l.relation).join(' ');

export const ids = (bundle) => (bundle.entry ?? []).map((e) => `${e.resource.resourceType}/${e.resource.id}`);

// statuses are those of a Bundle's responses.
export const statuses = (bundle) => bundle.entry.map((e) => Number(e.response.status.slice(0, 3)));
