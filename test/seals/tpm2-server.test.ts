/** A server sealed by a TPM, which is swtpm here: without it, with other PCRs, and on another machine. @module */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { CreateKeyCommand, DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import { startTestServer, type TestServer } from '../harness.ts'
import { foundTpm, noSoftTpm, softTpm, type SoftTpm } from './soft-tpm.ts'

const options = noSoftTpm === undefined ? {} : { skip: noSoftTpm }

async function serverBy(t: TestContext, tpm: SoftTpm, directory?: string): Promise<TestServer> {
  const settings = { TRENT_SEAL: 'tpm2:pcrs=7', TRENT_TPM2_TCTI: tpm.tcti }
  const server = await startTestServer(settings, directory === undefined ? {} : { directory })
  t.after(() => server.stop())
  return server
}

async function statusWith(server: TestServer, words: RegExp): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const status = await callOperator(server.directory, 'GetStatus')
    if (words.test(JSON.stringify(status))) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the status never said so')
}

interface Answer {
  readonly shares?: readonly string[]
}

test(
  'a server sealed by a TPM runs without it, waits for it at a start, and shares help',
  options,
  async (t) => {
    const tpm = await foundTpm(t)
    const first = await serverBy(t, tpm)
    const ask = async (operation: string, input?: object): Promise<Answer> =>
      (await callOperator(first.directory, operation, input)) as Answer
    await ask('Initialize')
    await first.server.ready
    const { KeyMetadata } = await first.client().send(new CreateKeyCommand({}))
    const encrypt = new EncryptCommand({
      KeyId: KeyMetadata?.KeyId,
      Plaintext: Buffer.from('hello'),
    })
    const { CiphertextBlob } = await first.client().send(encrypt)
    const assertOpens = async (server: TestServer): Promise<void> => {
      const { Plaintext } = await server.client().send(new DecryptCommand({ CiphertextBlob }))
      assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
    }
    const numbers = { recovery: true, shares: 2, threshold: 2 }
    // While the TPM is away, calls go on, and only what needs the root key is refused.
    await tpm.unplug()
    await assertOpens(first)
    await assert.rejects(ask('BeginRekey', numbers), /the TPM at \S+ cannot be used/)
    await assertOpens(first)
    await tpm.plugIn()
    const { shares = [] } = await ask('BeginRekey', numbers)
    for (const secret of shares) await ask('ContinueRekey', { secret })
    await first.stop('keep')

    await tpm.unplug()
    const second = await serverBy(t, tpm, first.directory)
    await statusWith(second, /"sealed":true.*the TPM at \S+ cannot be used/)
    await tpm.plugIn()
    await second.server.ready
    await assertOpens(second)
    await second.stop('keep')

    // Another firmware: the holders of shares open it, and seal it to the TPM anew.
    tpm.tpm2('pcrextend', `7:sha256=${'0'.repeat(63)}1`)
    const third = await serverBy(t, tpm, first.directory)
    await statusWith(third, /"sealed":true.*"opensWith":"recovery".*PCRs 7 of the TPM are not/)
    for (const secret of shares) await ask('Unseal', { secret })
    await third.server.ready
    await assertOpens(third)
    await ask('BeginRekey', { seal: 'tpm2:pcrs=7' })
    for (const secret of shares) await ask('ContinueRekey', { secret })
    await third.stop('keep')
    const fourth = await serverBy(t, tpm, first.directory)
    await fourth.server.ready
    await assertOpens(fourth)
    await fourth.stop('keep')

    // Another machine, for example a second node: only the shares open it there.
    const elsewhere = await serverBy(t, await softTpm(t), first.directory)
    await statusWith(elsewhere, /"sealed":true.*"opensWith":"recovery".*sealed by another TPM/)
    for (const secret of shares) await ask('Unseal', { secret })
    await elsewhere.server.ready
    await assertOpens(elsewhere)
  },
)
