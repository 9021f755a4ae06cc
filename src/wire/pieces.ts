/**
 * Hands a connection to Node's parser piece by piece. Node parses all that one read has brought, 64 KiB,
 * before anything can stop it: two thousand small requests, each kept until its connection has closed,
 * on each of a thousand connections. A few thousand bytes hold no more than can be kept for everyone.
 * @module
 */
import type { Socket } from 'node:net'

/** Larger than the headers of a signed request, so that few requests come in two pieces. */
const pieceBytes = 4096

export interface Pieces {
  /** Asked before each piece: what is left is dropped once it is true. */
  readonly isOver: () => boolean
  /**
   * Given all that has come so far, for as long as it answers undefined; then it answers how many of these
   * bytes are no HTTP. Left out where the first byte is HTTP.
   */
  readonly preface?: (bytes: Buffer) => number | undefined
}

/** To be called when `node:http` has taken the connection, and before anything was read. */
export function parseInPieces(socket: Socket, { isOver, preface }: Pieces): void {
  const listeners = socket.listeners('data')
  const [parse] = listeners
  // Should Node take connections in another way one day, it parses as it does by itself.
  if (listeners.length !== 1 || parse === undefined) return
  socket.removeListener('data', parse as (chunk: Buffer) => void) // a listener of `data` is no other
  let before: Buffer<ArrayBuffer> | undefined = preface && Buffer.alloc(0)
  socket.on('data', (given: Buffer<ArrayBuffer>) => {
    let chunk = given
    if (before !== undefined) {
      before = before.length === 0 ? chunk : Buffer.concat([before, chunk])
      const skipped = preface?.(before)
      if (skipped === undefined) return
      chunk = before.subarray(skipped)
      before = undefined
    }
    if (chunk.length <= pieceBytes && !isOver()) {
      if (chunk.length > 0) parse.call(socket, chunk)
      return
    }
    for (let at = 0; at < chunk.length && !isOver(); at += pieceBytes) {
      parse.call(socket, chunk.subarray(at, at + pieceBytes))
    }
  })
}
