/** A name server of tests, over UDP on this machine. @module */
import { createSocket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { isIP } from 'node:net'
import type { TestContext } from 'node:test'

/** Answers by name: addresses; none for a name without any; `silent` never answers. */
export type Zone = Readonly<Record<string, readonly string[] | 'silent'>>

export interface NameServer {
  /** Address and port. */
  readonly server: string
  /** Names of the questions so far. */
  readonly asked: readonly string[]
  /** Resolves with the next question. */
  readonly next: () => Promise<unknown>
}

const typeA = 1
const headBytes = 12

export async function startNameServer(t: TestContext, zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  const questions = new EventEmitter()
  socket.on('message', (message, { port, address }) => {
    const { name, type, end } = questionOf(message)
    asked.push(name)
    questions.emit('question')
    const found = zone[name] ?? []
    if (found === 'silent') return
    const family = type === typeA ? 4 : 6
    const addresses = found.filter((each) => isIP(each) === family)
    const head = Buffer.alloc(headBytes)
    message.copy(head, 0, 0, 2)
    head.writeUInt16BE(0x8180, 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(addresses.length, 6)
    const question = message.subarray(headBytes, end)
    const records = addresses.map((each) => recordOf(type, bytesOf(each)))
    socket.send(Buffer.concat([head, question, ...records]), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  return {
    server: `127.0.0.1:${socket.address().port}`,
    asked,
    next: () => once(questions, 'question'),
  }
}

function questionOf(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = headBytes
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

function recordOf(type: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(12)
  // The name is that of the question.
  head.writeUInt16BE(0xc000 + headBytes, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(bytes.length, 10)
  return Buffer.concat([head, bytes])
}

/** IPv6 is written out: eight groups. */
function bytesOf(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  return Buffer.from(
    address
      .split(':')
      .map((group) => group.padStart(4, '0'))
      .join(''),
    'hex',
  )
}
