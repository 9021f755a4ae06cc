/** The clock of a server whose test API is on. @module */
import assert from 'node:assert/strict'

/** Moves the clock on; what has become due by it was tried when this resolves. Answers its time. */
export function advance(url: string, by: string): Promise<number> {
  return move(url, { advance: by })
}

/** The same, to a time in ISO 8601. */
export function setClock(url: string, time: string): Promise<number> {
  return move(url, { set: time })
}

async function move(url: string, how: object): Promise<number> {
  const answer = await fetch(`${url}/_trent/test/clock`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(how),
  })
  assert.equal(answer.status, 200)
  const { now } = (await answer.json()) as { readonly now: string }
  return Date.parse(now)
}
