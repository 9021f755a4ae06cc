/** The clock of a server whose test API is on. @module */
import assert from 'node:assert/strict'

/** @param advance as the test API takes it: `900s`, `91d` */
export async function moveClock(url: string, advance: string): Promise<void> {
  const answer = await fetch(`${url}/_trent/test/clock`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ advance }),
  })
  assert.equal(answer.status, 200, await answer.text())
}
