/**
 * A server that is gone, under each kind of seal: a backup is restored elsewhere with what opens the seal, or with
 * the shares of its recovery seal, and decrypts what the lost server encrypted.
 * @module
 */
import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { DecryptCommand } from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { SealKind } from '../../src/seals/seal.ts'
import type { SealState } from '../../src/server/unseal-parts.ts'
import { sqliteOnly, startTestServer, type TestServer } from '../harness.ts'
import { enough, noSealOf, sealedAnew, testedSeals, type TestedSeal } from '../seals/every-seal.ts'
import { softTpm } from '../seals/soft-tpm.ts'
import { freePort, temporaryFolder, trentEnded, type Settings } from '../start/serve-process.ts'
import { noTerminal, typed, type Typed } from '../start/typed-secrets.ts'
import { clientOf, settings } from './fixed-account.ts'
import { encrypted, killed, type Answer, type Killed } from './killed-server.ts'

const skip = sqliteOnly('a restore is into the file of SQLite') || (noTerminal ?? false)

interface Backup {
  readonly seal: TestedSeal
  /** The parameters of `trent restore`. */
  readonly restore: readonly string[]
  readonly file: string
  /** What people must give. */
  readonly secrets: readonly string[]
}

interface Lost {
  readonly backups: ReadonlyMap<SealKind, Backup>
  /** The shares of the recovery seal: two of three open it. */
  readonly recovery: readonly string[]
  readonly blob: Uint8Array
}

/** A server that was killed, and backups of it under each kind of seal. */
async function lostServer(t: TestContext): Promise<Lost> {
  const seals = await testedSeals(t)
  const each = seals.map((seal) => ({ ...seal.settings, ...seal.environment }))
  const server = killed(t, Object.assign({}, ...each) as Settings)
  const { folder } = server
  const blob = await encrypted(await server.begin(seals[0]?.setting ?? assert.fail()))
  const plan = { recovery: true, shares: 3, threshold: 2 }
  const { shares: recovery = [] } = await server.ask('BeginRekey', plan)
  assert.equal((await server.give('ContinueRekey', recovery))['stage'], 'done')
  const backups = new Map<SealKind, Backup>()
  let secrets: readonly string[] = []
  for (const seal of seals) {
    if (backups.size > 0) {
      secrets = await sealedAnew(server.ask, { seal: seal.setting }, seal, secrets)
    }
    const file = join(folder, `backup-${seal.kind}`)
    await backUp(server, file)
    const restore = ['restore', file, '--journal', join(folder, 'data', 'journal')]
    backups.set(seal.kind, { seal, restore, file, secrets })
  }
  await server.kill()
  return { backups, recovery, blob }
}

async function backUp({ ask }: Killed, file: string): Promise<void> {
  const { id } = await ask('BeginBackup')
  for (let part = 1, isLast = false; !isLast; part += 1) {
    const read = await ask('ReadBackup', { id, part })
    appendFileSync(file, Buffer.from(String(read['bytes']), 'base64'))
    isLast = read['isLast'] === true
  }
}

interface Machine {
  /** Runs a command that succeeds. If it asks for secrets, somebody types them. */
  readonly run: (parameters: readonly string[], secrets?: readonly string[]) => Promise<string>
  /** Runs a command that is refused, and returns its one line. */
  readonly refused: (parameters: readonly string[]) => Promise<string>
  readonly type: (
    parameters: readonly string[],
    secrets: readonly string[],
    asked?: () => void,
  ) => Promise<Typed>
  readonly serve: () => Promise<Restored>
}

interface Restored {
  readonly ask: (operation: string, input?: object) => Promise<Answer>
  readonly give: (operation: string, secrets: readonly string[]) => Promise<Answer>
  /** Waits until it serves. */
  readonly decrypts: (blob: Uint8Array) => Promise<void>
  /** Waits until the recovery seal is asked for, and returns why. */
  readonly asksRecovery: () => Promise<string>
  readonly stop: () => Promise<void>
}

/** Another machine without data, with the settings of this seal. */
function machine(t: TestContext, seal: TestedSeal, more: Settings = {}): Machine {
  const servers: TestServer[] = []
  // Before its folder is removed.
  t.after(() => Promise.all(servers.map((server) => server.stop('keep'))))
  const folder = temporaryFolder(t)
  const directory = join(folder, 'data')
  const own = { ...settings, ...seal.settings, ...more, TRENT_SEAL: seal.setting }
  const given = { ...freePort(folder), ...seal.environment, ...own }
  const type: Machine['type'] = (parameters, secrets, asked) =>
    typed(t, parameters, secrets, given, folder, asked)
  return {
    type,
    async run(parameters, secrets = []) {
      if (secrets.length > 0) {
        const { code, shown } = await type(parameters, secrets)
        assert.equal(code, 0, shown)
        return shown
      }
      const { code, stdout, stderr } = await trentEnded(t, parameters, given, folder)
      assert.deepEqual([code, stderr], [0, ''])
      return stdout
    },
    async refused(parameters) {
      const { code, stdout, stderr } = await trentEnded(t, parameters, given, folder)
      assert.deepEqual([code, stdout], [1, ''], stderr)
      assert.match(stderr, /^trent: the seal of the backup does not open: [^\n]+\n$/)
      return stderr
    },
    async serve() {
      const server = await startTestServer(own, { directory })
      servers.push(server)
      const ask: Restored['ask'] = async (operation, input) =>
        (await callOperator(directory, operation, input)) as Answer
      return {
        ask,
        async give(operation, secrets) {
          let last: Answer = {}
          for (const secret of secrets) last = await ask(operation, { secret })
          return last
        },
        async decrypts(CiphertextBlob) {
          await server.server.ready
          const kms = clientOf(server)
          const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
          kms.destroy()
          assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
        },
        async asksRecovery() {
          for (;;) {
            const { opensWith, reason = '' } = (await ask('GetStatus'))['seal'] as SealState
            if (opensWith === 'recovery' && reason !== '') return reason
            await delay(20)
          }
        },
        stop: () => server.stop('keep'),
      }
    },
  }
}

test(
  'a backup under each kind of seal is restored after the server is gone',
  { skip },
  async (t) => {
    const { backups, recovery, blob } = await lostServer(t)
    const two = enough(recovery)

    for (const [kind, { seal, restore, secrets }] of backups) {
      await t.test(`${kind}: what opens it restores it`, async (own) => {
        const { run, serve } = machine(own, seal)
        assert.match(await run(restore, enough(secrets)), /\d+ rows are restored/)
        const server = await serve()
        await server.give('Unseal', enough(secrets))
        await server.decrypts(blob)
      })
    }

    for (const kind of ['passphrase', 'shamir'] as const) {
      await t.test(
        `${kind}: another secret is refused, and asked for no second time`,
        async (own) => {
          const { seal, file } = backups.get(kind) ?? assert.fail()
          const wrong = kind === 'shamir' ? two : ['an incorrect horse battery']
          const verify = ['backup', 'verify', '--open', file]
          const { code, shown } = await machine(own, seal).type(verify, wrong.slice(0, 1))
          assert.equal(code, 1, shown)
          assert.match(shown, /^trent: the seal of the backup does not open: [^\r\n]+\r\n$/m)
          assert.match(shown, kind === 'shamir' ? /is of another seal/ : /the passphrase is wrong/)
        },
      )
    }

    await t.test('a backup that is replaced before its second reading is refused', async (own) => {
      const { seal, restore, file, secrets } = backups.get('passphrase') ?? assert.fail()
      const { file: earlier } = backups.get('file') ?? assert.fail()
      const shown = join(temporaryFolder(own), 'shown')
      copyFileSync(file, shown)
      const { type } = machine(own, seal)
      const parameters = restore.map((each) => (each === file ? shown : each))
      const replaced = await type(parameters, secrets, () => {
        copyFileSync(earlier, `${shown}.earlier`)
        renameSync(`${shown}.earlier`, shown)
      })
      assert.equal(replaced.code, 1, replaced.shown)
      assert.match(replaced.shown, /trent: \S+shown was replaced meanwhile: it is another backup/)
    })

    await t.test(
      'kms: without the KMS, the shares of the recovery seal restore it',
      async (own) => {
        const { seal, restore } = backups.get('kms') ?? assert.fail()
        await seal.device?.takeAway()
        const { run, type, refused, serve } = machine(own, seal)
        assert.match(await refused(restore), /the KMS cannot be used with arn:/)
        const byShares = [...restore, '--recovery']
        const [one = '', another = ''] = recovery
        const mistyped = another.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
        const { code, shown } = await type(byShares, [one, mistyped])
        assert.equal(code, 1, shown)
        assert.match(shown, /^trent: [^\r\n]+: the share is mistyped: [^\r\n]+\r\n$/m)
        const restored = await run(byShares, two)
        assert.match(
          restored,
          /\(0 of 2 are given\): [^]+\(1 of 2 are given\): [^]+ rows are restored/,
        )
        const server = await serve()
        assert.match(await server.asksRecovery(), /the KMS cannot be used with arn:/)
        await server.give('Unseal', two)
        await server.decrypts(blob)
      },
    )

    await t.test(
      'tpm2: on a machine with another TPM, the recovery seal restores it, and it moves to that TPM',
      { skip: noSealOf('tpm2') ?? false },
      async (own) => {
        const { seal, restore, file } = backups.get('tpm2') ?? assert.fail()
        const { tcti } = await softTpm(own)
        const { run, refused, serve } = machine(own, seal, { TRENT_TPM2_TCTI: tcti })
        const open = ['backup', 'verify', '--open', file]
        assert.match(await refused(open), /was sealed by another TPM/)
        const verified = await run(['backup', 'verify', '--recovery', file], two)
        assert.match(verified, /whole: \d+ rows with a genuine tag/)
        await run([...restore, '--recovery'], two)
        const server = await serve()
        assert.match(await server.asksRecovery(), /was sealed by another TPM/)
        await server.give('Unseal', two)
        await server.decrypts(blob)
        assert.equal((await server.ask('BeginRekey', { seal: seal.setting }))['stage'], 'open')
        assert.equal((await server.give('ContinueRekey', two))['stage'], 'done')
        await server.stop()
        const again = await serve()
        await again.decrypts(blob)
        assert.partialDeepStrictEqual(await again.ask('GetStatus'), {
          seal: { kind: 'tpm2', recovery: true },
        })
      },
    )
  },
)
