/**
 * Feeds a connection's bytes to Node's parser in pieces. Node parses everything that one read returned,
 * 64 KiB, before anything can stop it: up to two thousand small requests, each kept until its
 * connection closes, on each of a thousand connections. Pieces of a few thousand bytes bound what all
 * of them can hold.
 * @module
 */
import type { Socket } from 'node:net'

/** Larger than the headers of a signed request, so that few requests arrive in two pieces. */
const pieceBytes = 4096

export interface Pieces {
  /** Asked before each piece. Once true, the rest is dropped. */
  readonly isOver: () => boolean
  /**
   * Gets all bytes so far, until it returns the number of leading bytes that are not HTTP; undefined
   * asks for more. Omit it when the first byte is HTTP.
   */
  readonly preface?: (bytes: Buffer) => number | undefined
  /** Called after the bytes of one read are parsed. */
  readonly parsed: () => void
}

/**
 * Call it when `node:http` has taken the connection, before anything is read.
 * @throws when Node attaches its parser differently: nothing would bound it then
 */
export function parseInPieces(socket: Socket, { isOver, preface, parsed }: Pieces): void {
  const listeners = socket.listeners('data')
  const [listener] = listeners
  if (listeners.length !== 1 || listener === undefined) {
    throw new Error('this version of Node attaches its HTTP parser in an unknown way')
  }
  const parse = listener as (this: Socket, piece: Buffer) => void // the type of every `data` listener
  socket.removeListener('data', parse)
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
    for (let at = 0; at < chunk.length && !isOver(); at += pieceBytes) {
      // Node pauses the connection of a client that does not read its answers, and its parser takes nothing
      // then. The rest comes again when the connection goes on.
      if (at > 0 && socket.isPaused()) {
        socket.unshift(chunk.subarray(at))
        break
      }
      parse.call(socket, chunk.length <= pieceBytes ? chunk : chunk.subarray(at, at + pieceBytes))
    }
    parsed()
  })
}
