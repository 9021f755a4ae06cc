/** Takes a request's body off the connection, within a bound. @module */
import type { IncomingMessage } from 'node:http'

/** Why there is no body: over its limit, no room among the bodies held, or the client went away. */
export type NoBody = 'too large' | 'no room' | 'gone'

const nothing: Buffer = Buffer.alloc(0)

/**
 * Resolves with the whole body as soon as it is in, or with the reason as soon as it is known; the
 * rest is then for the caller to discard. Nothing that comes beyond the limit is kept.
 * @param hold told of every byte before it is kept; false when it may not be
 */
export function readBytes(
  request: IncomingMessage,
  bytesMax: number,
  hold: (bytes: number) => boolean,
): Promise<Buffer | NoBody> {
  return new Promise((resolve) => {
    let kept = nothing
    let length = 0
    let over = false
    const onData = (chunk: Buffer): void => {
      if (over) return
      if (length + chunk.length > bytesMax) finish('too large')
      else if (!hold(chunk.length)) finish('no room')
      else {
        kept = length === 0 ? chunk : append(kept, length, chunk, bytesMax)
        length += chunk.length
      }
    }
    const onEnd = (): void => finish(kept.length === length ? kept : kept.subarray(0, length))
    const onClose = (): void => finish('gone')
    // The listeners are not taken off: they go with the request.
    const finish = (outcome: Buffer | NoBody): void => {
      if (over) return
      over = true
      kept = nothing
      resolve(outcome)
    }
    request.on('data', onData).on('end', onEnd).on('close', onClose)
  })
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
