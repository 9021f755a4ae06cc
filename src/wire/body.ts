/** Takes a request's body off the connection, within a bound. @module */
import type { IncomingMessage } from 'node:http'
import type { RequestPlace } from './admission.ts'
import type { DropReason } from './held.ts'

/**
 * Why there is no body: over its limit, no room among the bodies held, the client went away, its place was
 * taken away, or the request was refused without it.
 */
export type NoBody = 'too large' | 'no room' | 'gone' | 'refused' | DropReason

export interface Reading {
  /** Resolves as soon as the body is whole, or as soon as it is known that there will be none. */
  readonly outcome: Promise<Buffer | NoBody>
  /** Whether that is so; for a body, as soon as its last byte was parsed. */
  readonly isOver: () => boolean
  /** Takes no more bytes than this. */
  readonly limit: (bytesMax: number) => void
  readonly stop: (why: NoBody) => void
}

const nothing: Buffer = Buffer.alloc(0)

/**
 * Begins to read. Nothing that comes beyond the limit is kept; the rest is for the caller to discard.
 * @param place told of every byte before it is kept
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  place: Pick<RequestPlace, 'hold' | 'bodyIsIn'>,
): Reading {
  const { promise, resolve } = Promise.withResolvers<Buffer | NoBody>()
  let max = bytesMax
  let kept = nothing
  let length = 0
  let over = false
  const finish = (outcome: Buffer | NoBody): void => {
    if (over) return
    over = true
    kept = nothing
    resolve(outcome)
  }
  const onData = (chunk: Buffer): void => {
    if (over) return
    if (length + chunk.length > max) finish('too large')
    else if (!place.hold(chunk.length)) finish('no room')
    else {
      kept = length === 0 ? chunk : append(kept, length, chunk, max)
      length += chunk.length
    }
  }
  const onEnd = (): void => {
    if (over) return
    place.bodyIsIn()
    finish(kept.length === length ? kept : kept.subarray(0, length))
  }
  // The listeners are not taken off: they go with the request.
  request
    .on('data', onData)
    .on('end', onEnd)
    .on('close', () => finish('gone'))
  return {
    outcome: promise,
    isOver: () => over || request.complete,
    limit(bytes) {
      max = Math.min(max, bytes)
      if (length > max || Number(request.headers['content-length']) > max) finish('too large')
    },
    stop: finish,
  }
}

/**
 * One growing buffer instead of a list of pieces: a body sent in chunks of one byte would make a
 * list a hundred times its size.
 */
function append(kept: Buffer, length: number, chunk: Buffer, bytesMax: number): Buffer {
  const needed = length + chunk.length
  let room = kept
  if (needed > kept.length) {
    room = Buffer.allocUnsafeSlow(Math.min(bytesMax, Math.max(needed, kept.length * 2, 4096)))
    kept.copy(room, 0, 0, length)
  }
  chunk.copy(room, length)
  return room
}
