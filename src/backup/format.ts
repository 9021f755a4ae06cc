/**
 * The format of backups, which may never change for version 1 (docs/backup-format.md):
 *
 *     file     magic, 8 bytes ‖ u32 header length ‖ header, JSON ‖ frame…
 *     frame    u8 kind ‖ u32 payload length ‖ payload
 *     payload  rows (1) and end (2): ciphertext ‖ tag of AES-256-GCM; check (3): SHA-256, 32 bytes
 *     IV       u32 0 ‖ u64 number of the frame, counted from 0; AAD = u8 kind
 *     key      the keyring's backup key of the context SHA-256(magic ‖ header length ‖ header)
 *
 * The header holds 32 random bytes, so each backup has its own key, and no IV is used twice under it. A
 * frame that was moved, left out or taken from another backup does not open, nor does one under another
 * header. The end is a frame of its own, so that a backup that was cut has none.
 * @module
 */
import { createHash, hash } from 'node:crypto'
import { openWithIv, sealWithIv } from '../crypto/aead.ts'
import { NotAuthentic, type Keyring } from '../crypto/keyring.ts'
import { readHeader, type BackupHeader } from './header.ts'

/** The backup cannot be used. The message is one line. */
export class BackupRefused extends Error {}

export const magic = Buffer.from('TRENTBK1')
export const frameKinds = { rows: 1, end: 2, check: 3 } as const
type FrameKind = (typeof frameKinds)[keyof typeof frameKinds]

export const headerBytesMax = 2 ** 20
/** No row comes near it; a writer begins another frame after 1 MiB. */
export const payloadBytesMax = 64 * 2 ** 20
const checkBytes = 32
const frameHeadBytes = 5

/** Makes the bytes of one backup, in order. */
export interface BackupWriter {
  /** The bytes before the first frame. */
  readonly head: Buffer
  /** One encrypted frame. */
  frame(kind: 'rows' | 'end', plaintext: Uint8Array): Buffer
  /** The last bytes. */
  check(): Buffer
  /** Overwrites the key. */
  close(): void
}

export function createBackupWriter(
  header: BackupHeader,
  keyring: Pick<Keyring, 'backupKey'>,
): BackupWriter {
  const head = headOf(header)
  const key = contentKey(header, keyring)
  const all = createHash('sha256').update(head)
  let frames = 0
  return {
    head,
    frame(kind, plaintext) {
      const number = frameKinds[kind]
      const sealed = sealWithIv(key, ivOf(frames), Buffer.of(number), plaintext)
      frames += 1
      const bytes = frameOf(number, sealed)
      all.update(bytes)
      return bytes
    },
    check: () => frameOf(frameKinds.check, all.digest()),
    close: () => void key.fill(0),
  }
}

/** The key of the content of one backup, for a reader that has no other key. The caller overwrites it. */
export function contentKey(header: BackupHeader, keyring: Pick<Keyring, 'backupKey'>): Buffer {
  return keyring.backupKey(header.keyVersion, contextOf(headOf(header)))
}

/** Opens the frames of one backup, in order. */
export interface FrameOpener {
  /** @throws {BackupRefused} */
  open(frame: Frame): Buffer
  /** Overwrites the key. */
  close(): void
}

export function createFrameOpener(
  { header, head }: Pick<BackupReader, 'header' | 'head'>,
  keyring: Pick<Keyring, 'backupKey' | 'deploymentId'>,
): FrameOpener {
  if (keyring.deploymentId !== header.deploymentId) {
    throw new BackupRefused('the backup is of another deployment')
  }
  const key = backupKeyOf(header, head, keyring)
  let frames = 0
  return {
    open({ kind, payload }) {
      try {
        const plaintext = openWithIv(key, ivOf(frames), Buffer.of(kind), payload)
        frames += 1
        return plaintext
      } catch (cause) {
        if (!(cause instanceof NotAuthentic)) throw cause
        const place = `its frame ${frames + 1} was changed or is not of this backup`
        throw new BackupRefused(`the backup is damaged: ${place}`, { cause })
      }
    },
    close: () => void key.fill(0),
  }
}

function backupKeyOf(
  { keyVersion }: BackupHeader,
  head: Buffer,
  keyring: Pick<Keyring, 'backupKey'>,
): Buffer {
  try {
    return keyring.backupKey(keyVersion, contextOf(head))
  } catch (cause) {
    if (!(cause instanceof NotAuthentic)) throw cause
    throw new BackupRefused('the backup is damaged: it names no key of its own', { cause })
  }
}

export interface Frame {
  readonly kind: FrameKind
  readonly payload: Buffer
}

export interface BackupReader {
  readonly header: BackupHeader
  /** The bytes before the first frame. */
  readonly head: Buffer
  /**
   * Yields the frames of rows, and the end as the last one. It returns only if the check matches and
   * nothing follows it. @throws {BackupRefused}
   */
  readonly frames: () => AsyncGenerator<Frame>
}

/** Reads the header. @throws {BackupRefused} unless the bytes begin as a backup does */
export async function readBackup(source: AsyncIterable<Uint8Array>): Promise<BackupReader> {
  const bytes = new ByteReader(source)
  const begin = await bytes.take(magic.length)
  if (begin === undefined || !begin.equals(magic)) {
    const isOther = begin?.subarray(0, 7).equals(magic.subarray(0, 7)) === true
    throw new BackupRefused(
      isOther ? 'the backup was made by a later version of Trent' : 'this is not a backup of Trent',
    )
  }
  const length = (await bytes.require(4)).readUInt32BE(0)
  if (length > headerBytesMax) throw damaged('its header is too long')
  const text = await bytes.require(length)
  const header = readHeader(text)
  if (header === undefined) throw damaged('its header cannot be read')
  const head = headBytes(text)
  return { header, head, frames: () => framesOf(bytes, head) }
}

async function* framesOf(bytes: ByteReader, head: Buffer): AsyncGenerator<Frame> {
  const all = createHash('sha256').update(head)
  let hasEnded = false
  for (;;) {
    const frameHead = await bytes.require(frameHeadBytes)
    const kind = frameHead.readUInt8(0)
    const length = frameHead.readUInt32BE(1)
    if (!isKind(kind) || length > payloadBytesMax)
      throw damaged('it has a frame that cannot be read')
    const payload = await bytes.require(length)
    if (kind === frameKinds.check) {
      if (!hasEnded || length !== checkBytes || !all.digest().equals(payload)) {
        throw damaged('its content does not match its check')
      }
      if (!(await bytes.isAtEnd())) throw damaged('something follows its end')
      return
    }
    if (hasEnded) throw damaged('its end is not its last frame')
    all.update(frameHead).update(payload)
    hasEnded = kind === frameKinds.end
    yield { kind, payload }
  }
}

function isKind(kind: number): kind is FrameKind {
  return kind === frameKinds.rows || kind === frameKinds.end || kind === frameKinds.check
}

export function damaged(why: string): BackupRefused {
  return new BackupRefused(`the backup is damaged: ${why}`)
}

function headOf(header: BackupHeader): Buffer {
  return headBytes(Buffer.from(JSON.stringify(header)))
}

function headBytes(header: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(header.length)
  return Buffer.concat([magic, length, header])
}

function contextOf(head: Buffer): Buffer {
  return hash('sha256', head, 'buffer')
}

function frameOf(kind: FrameKind, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(frameHeadBytes)
  head.writeUInt8(kind)
  head.writeUInt32BE(payload.length, 1)
  return Buffer.concat([head, payload])
}

function ivOf(frame: number): Buffer {
  const iv = Buffer.alloc(12)
  iv.writeBigUInt64BE(BigInt(frame), 4)
  return iv
}

/** Takes exact numbers of bytes from a stream. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #parts: Uint8Array[] = []
  #length = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Undefined if there are fewer. */
  async take(length: number): Promise<Buffer | undefined> {
    while (this.#length < length) if (!(await this.#more())) return undefined
    const joined = Buffer.concat(this.#parts)
    this.#parts = [joined.subarray(length)]
    this.#length = joined.length - length
    return joined.subarray(0, length)
  }

  async require(length: number): Promise<Buffer> {
    const bytes = await this.take(length)
    if (bytes === undefined) throw damaged('it ends too early')
    return bytes
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#length === 0) if (!(await this.#more())) return true
    return false
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next()
    if (done === true) return false
    this.#parts.push(value)
    this.#length += value.length
    return true
  }
}
