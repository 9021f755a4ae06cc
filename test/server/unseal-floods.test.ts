/** The port for unsealing against clients that mean no good. @module */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { certified } from '../wire/certificate.ts'
import { exchange, headOf, initialized, openPort, secured } from './unseal-port.ts'

const bounded = { timeout: 120_000 }

test(
  'plain HTTP, an older TLS and a name that is not the server’s are refused',
  bounded,
  async (t) => {
    const { port, folder, unseal } = await openPort(t)
    const plain = await new Promise<string>((resolve) => {
      const socket = connectPlain(port, '127.0.0.1')
      let answer = ''
      socket.on('data', (part) => (answer += part.toString('latin1')))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(answer))
      socket.write(headOf('GetStatus', 0))
    })
    assert.ok(!plain.includes('HTTP/1.1 200'))
    assert.match(
      await exchange(port, headOf('GetStatus', 0), { maxVersion: 'TLSv1.2' }),
      /^error: .*(protocol|version)/i,
    )
    const other = await certified('elsewhere')
    writeFileSync(join(folder, 'ca.pem'), other.authority)
    await assert.rejects(unseal('x'), /no server answers at localhost:\d+: .*(certificate|issuer)/i)
  },
)

test('huge and slow bodies end, and the server goes on', bounded, async (t) => {
  const { server, port, ask } = await openPort(t)
  const [first] = await initialized(server)
  assert.match(await exchange(port, headOf('Unseal', 10_000_000)), /^HTTP\/1\.1 (400|413)/)
  const long = JSON.stringify({ secret: 'x'.repeat(17_000) })
  assert.match(await exchange(port, headOf('Unseal', long.length) + long), /^HTTP\/1\.1 (400|413)/)
  const begun = performance.now()
  assert.match(await exchange(port, `${headOf('Unseal', 300)}{`), /^HTTP\/1\.1 (400|408)|^$/)
  assert.ok(performance.now() - begun < 20_000)
  for (const body of [
    '',
    '[]',
    '{"secret":5}',
    '{"secret":""}',
    '{',
    `{"secret":"${'x'.repeat(5000)}"}`,
  ]) {
    const text = await exchange(
      port,
      headOf('Unseal', body.length).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') + body,
    )
    assert.match(text, /^HTTP\/1\.1 400 /)
    assert.ok(!text.includes('xxxx') && !/\n\s+at /.test(text))
  }
  assert.partialDeepStrictEqual(await ask('Unseal', { secret: first }), { given: [1] })
})

test('one address cannot hold all connections, or call without a limit', bounded, async (t) => {
  const { server, port, ask } = await openPort(t)
  const [first] = await initialized(server)
  const idle = Array.from({ length: 40 }, () => secured(port).on('error', () => undefined))
  await sleep(1500)
  const left = idle.filter((socket) => !socket.destroyed && socket.readyState === 'open').length
  assert.ok(left <= 16, `${left} connections are open`)
  const outcomes = await Promise.allSettled(Array.from({ length: 7 }, () => ask('GetStatus')))
  assert.ok(outcomes.some(({ status }) => status === 'fulfilled'))
  let refusal = ''
  for (let call = 0; call < 60 && refusal === ''; call += 1) {
    refusal = await ask('GetStatus').then(
      () => '',
      (error: unknown) => String(error),
    )
  }
  assert.match(refusal, /ThrottlingException.*too many calls from this address/)
  for (const socket of idle) socket.destroy()
  await sleep(1200)
  assert.partialDeepStrictEqual(await ask('Unseal', { secret: first }), { given: [1] })
})
