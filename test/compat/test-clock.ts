/** The clock of a server whose test API is on. @module */
import assert from 'node:assert/strict'

/** Moves the clock on; what has become due by it was tried when this resolves. Answers its time. */
export async function advance(url: string, by: string): Promise<number> {
  const answer = await fetch(`${url}/_trent/test/clock`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ advance: by }),
  })
  assert.equal(answer.status, 200)
  const { now } = (await answer.json()) as { readonly now: string }
  return Date.parse(now)
}
