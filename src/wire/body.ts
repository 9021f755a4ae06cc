/** Reads a request's body from the connection, within a limit. @module */
import type { IncomingMessage } from 'node:http'
import type { RequestSlot } from './admission.ts'
import type { DropReason } from './held.ts'

/**
 * Why no body was read: it exceeds its limit, does not fit among the buffered bodies, the client
 * disconnected, its slot was taken away, or the request was refused without it.
 */
export type NoBody = 'too large' | 'no room' | 'gone' | 'refused' | DropReason

export interface Reading {
  /** Resolves when the body is complete, or when it is certain that none will come. */
  readonly outcome: Promise<Buffer | NoBody>
  /** Whether `outcome` is decided. For a body: as soon as its last byte is parsed. */
  readonly isOver: () => boolean
  /** Lowers the limit on the body's bytes. */
  readonly limit: (bytesMax: number) => void
  readonly stop: (why: NoBody) => void
}

const nothing: Buffer = Buffer.alloc(0)

/**
 * Starts to read. Bytes beyond the limit are not kept; the caller discards them.
 * @param slot is asked for every chunk before the chunk is kept
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  slot: Pick<RequestSlot, 'hold' | 'bodyIsIn'>,
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
    else if (!slot.hold(chunk.length)) finish('no room')
    else {
      kept = length === 0 ? chunk : append(kept, length, chunk, max)
      length += chunk.length
    }
  }
  const onEnd = (): void => {
    if (over) return
    slot.bodyIsIn()
    finish(kept.length === length ? kept : kept.subarray(0, length))
  }
  // The listeners stay attached. They are collected with the request.
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
 * Appends to one growing buffer. A list of chunks would take a hundred times the body's size when a
 * client sends chunks of one byte.
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
