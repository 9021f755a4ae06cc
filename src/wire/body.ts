/** Hands over a request's body as the parser reads it. @module */
import { IncomingMessage } from 'node:http'

/** Receives the body of one request while the parser runs. */
export interface BodyReader {
  /** False stops the parser's connection. */
  readonly take: (piece: Buffer) => boolean
  /** Called after the last byte. */
  readonly end: () => void
}

const discards: BodyReader = { take: () => true, end: () => {} }

/**
 * A request that gives its body to a reader at once. Most bodies arrive with their head, and the queues
 * and events of a stream cost more than the rest of the exchange. It cannot be read as a stream.
 */
export class ReceivedRequest extends IncomingMessage {
  reader: BodyReader = discards

  /** The parser calls it for every piece, and with null after the last one. */
  override push(piece: Buffer | null): boolean {
    if (piece !== null) return this.reader.take(piece)
    this.reader.end()
    return true
  }

  override read(): null {
    return null
  }
}

// `node:http` asks for it to forget a request. The types declare a property, which no accessor overrides.
Object.defineProperty(ReceivedRequest.prototype, 'readableEnded', {
  get(this: ReceivedRequest): boolean {
    return this.complete
  },
})

const nothing = Buffer.alloc(0)

/** The bytes of a body so far. */
export class KeptBody {
  length = 0
  #bytes: Buffer = nothing

  /**
   * Appends to one growing buffer. A list of pieces would take a hundred times the body's size when a
   * client sends pieces of one byte.
   * @param bytesMax at least the length with `piece`
   */
  append(piece: Buffer, bytesMax: number): void {
    const { length } = this
    this.length += piece.length
    if (length === 0) {
      this.#bytes = piece
      return
    }
    if (this.length > this.#bytes.length) {
      const room = Math.min(bytesMax, Math.max(this.length, this.#bytes.length * 2, 4096))
      const larger = Buffer.allocUnsafeSlow(room)
      this.#bytes.copy(larger, 0, 0, length)
      this.#bytes = larger
    }
    piece.copy(this.#bytes, length)
  }

  /** Empties it. */
  take(): Buffer {
    const bytes = this.#bytes
    const { length } = this
    this.#bytes = nothing
    this.length = 0
    return bytes.length === length ? bytes : bytes.subarray(0, length)
  }
}
