/** How records are gathered for the event index. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNewRecords, type NewRecords } from '../../../src/audit/index/new-records.ts'

const plain = ({ batches, ...rest }: NewRecords) => ({
  ...rest,
  batches: batches.map(({ segment, offset, frames, facts, times }) => ({
    at: [segment, offset],
    frames: [...frames],
    facts: [...facts],
    times: [...times],
  })),
})

test('records that lie one right after another are one piece, whatever came at once', () => {
  const queue = createNewRecords()
  const frames = Uint8Array.of(1, 2)
  const [a, b] = ['a', 'b'].map((members, index) => ({ members, time: index + 5 }))
  queue.add({ segment: 1, offset: 10, frames, facts: [a, undefined] })
  // The journal uses its buffer again.
  frames.fill(0)
  for (let n = 0; n < 5; n += 1) {
    queue.add({ segment: 1, offset: 12 + n, frames: Uint8Array.of(3 + n), facts: [b] })
  }
  queue.add({ segment: 2, offset: 0, frames: Uint8Array.of(20), facts: [a] })
  queue.add({ segment: 2, offset: 9, frames: Uint8Array.of(21), facts: [undefined] })
  const taken = queue.take({ stream: 's', segment: 2, offset: 10 })
  assert.deepEqual(plain(taken), {
    stream: 's',
    after: { segment: 1, offset: 10 },
    until: { segment: 2, offset: 10 },
    members: ['a', 'b'],
    batches: [
      {
        at: [1, 10],
        frames: [1, 2, 3, 4, 5, 6, 7],
        facts: [0, -1, 1, 1, 1, 1, 1],
        times: [5, 0, 6, 6, 6, 6, 6],
      },
      { at: [2, 0], frames: [20], facts: [0], times: [5] },
      { at: [2, 9], frames: [21], facts: [-1], times: [0] },
    ],
  })
})

test('what was taken is not taken again', () => {
  const queue = createNewRecords()
  queue.add({ segment: 1, offset: 0, frames: Uint8Array.of(1), facts: [undefined] })
  const first = queue.take({ stream: 's', segment: 1, offset: 1 })
  queue.add({ segment: 1, offset: 1, frames: Uint8Array.of(2), facts: [{ members: 'c', time: 1 }] })
  const second = queue.take({ stream: 's', segment: 1, offset: 2 })
  // The first one keeps its bytes: it may be under way to a thread.
  assert.deepEqual(plain(first).batches, [{ at: [1, 0], frames: [1], facts: [-1], times: [0] }])
  assert.deepEqual(plain(second).batches, [{ at: [1, 1], frames: [2], facts: [0], times: [1] }])
  assert.deepEqual([second.after, second.members], [{ segment: 1, offset: 1 }, ['c']])
})

test('beyond the bound all are dropped, and those after them kept', () => {
  const queue = createNewRecords(3)
  queue.add({ segment: 1, offset: 0, frames: new Uint8Array(2), facts: [undefined] })
  queue.add({ segment: 1, offset: 2, frames: new Uint8Array(2), facts: [undefined] })
  queue.add({ segment: 1, offset: 4, frames: Uint8Array.of(7), facts: [undefined] })
  const { after, batches } = plain(queue.take({ stream: 's', segment: 1, offset: 5 }))
  assert.deepEqual(after, { segment: 1, offset: 4 })
  assert.deepEqual(batches, [{ at: [1, 4], frames: [7], facts: [-1], times: [0] }])
})
