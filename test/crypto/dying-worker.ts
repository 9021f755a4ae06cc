/**
 * A slow lane's thread that dies at the first task of one spec, and answers any other task with the
 * spec's letters.
 */
import { parentPort } from 'node:worker_threads'
import type { AnySlowTask } from '../../src/crypto/slow-tasks.ts'

const port = parentPort
port?.on('message', (task: AnySlowTask) => {
  if (task.name !== 'generate-key-pair' || task.input.spec === 'RSA_4096') process.exit(1)
  const privateKey = new Uint8Array(Buffer.from(task.input.spec))
  const answer = { privateKey, publicKey: new Uint8Array(0) }
  port.postMessage({ ok: true, answer }, [privateKey.buffer])
})
