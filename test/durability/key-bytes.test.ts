/**
 * No file that a server leaves holds key material, a secret or a plaintext: not the database and its log, nor
 * backups, the journal, delivered files, logs and temporary files. The key file of the seal is the exception:
 * it opens everything.
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { CreateAccessKeyCommand, CreateUserCommand } from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  type CreateKeyCommandInput,
} from '@aws-sdk/client-kms'
import { GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { readBackup } from '../../src/backup/format.ts'
import { rowsOf } from '../../src/backup/verify.ts'
import { keyringOf, openDomainKeys } from '../../src/crypto/domain-keys.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { openMaterial } from '../../src/crypto/material.ts'
import { nodeFiles, piecesOf } from '../../src/disk/files.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { openSealed } from '../../src/cli/secret-input.ts'
import { keyMaterials } from '../../src/store/schema/materials.ts'
import { importing } from '../compat/importing.ts'
import { installedPostgres } from '../store/postgres/postgres-binaries.ts'
import { startPostgres } from '../store/postgres/postgres-server.ts'
import { skip, testedVersions } from '../store/postgres/shared-server.ts'
import { asSuperuser } from '../store/postgres/superuser.ts'
import { end, freePort, serve, temporaryFolder, trentEnded } from '../start/serve-process.ts'
import { eventually } from '../start/node-process.ts'
import { partsOf } from '../start/stored-keys.ts'
import { clientsOf, root } from './lost-server.ts'

type Secrets = Map<string, Uint8Array>

/** What a text or a dump could make of the bytes. */
function encodings(secret: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const base64 = [0, 1, 2].map((shift) => {
    // Without the characters that neighbours take part in.
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64url')
    return text.slice(shift === 0 ? 0 : shift + 1, -3)
  })
  const texts = [
    hex,
    hex.toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll('-', '+').replaceAll('_', '/')),
    [...bytes].join(','),
  ]
  return [bytes, ...texts.map((text) => Buffer.from(text))]
}

/** `file: secret` for each secret that a file holds. */
function foundIn(files: ReadonlyMap<string, Buffer>, secrets: Secrets): readonly string[] {
  const wanted = [...secrets].map(([name, secret]) => ({ name, forms: encodings(secret) }))
  return [...files].flatMap(([file, content]) =>
    wanted
      .filter(({ forms }) => forms.some((form) => content.includes(form)))
      .map(({ name }) => `${file}: ${name}`),
  )
}

/** Every file below a folder; compressed ones as their content too. */
function filesBelow(folder: string): ReadonlyMap<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return new Map(
    names
      .filter((name) => statSync(join(folder, name)).isFile())
      .flatMap((name): readonly [string, Buffer][] => {
        const content = readFileSync(join(folder, name))
        const path = join(folder, name)
        return name.endsWith('.gz')
          ? [
              [path, content],
              [`${path} (content)`, gunzipSync(content)],
            ]
          : [[path, content]]
      }),
  )
}

/** The root key, the domain keys, and all key material that a backup has. */
async function secretsOf(backup: string, sealKey: string): Promise<Secrets> {
  const reader = await readBackup(piecesOf(nodeFiles, backup))
  const { deploymentId, seals, domainKeys } = reader.header
  const record = Buffer.from(seals[0]?.record ?? '', 'base64')
  const seal = fileSeal(sealKey, systemRandom)
  const rootKey = await openSealed(seal, record, deploymentId, assert.fail)
  const wrapped = domainKeys.map((key) => ({
    version: key.version,
    wrapped: Buffer.from(key.wrapped, 'base64'),
    createdAt: 0,
  }))
  const opened = openDomainKeys(rootKey, deploymentId, wrapped)
  const keyring = keyringOf(deploymentId, opened, systemRandom)
  const secrets: Secrets = new Map([['root key', rootKey.export()]])
  for (const { version, key } of opened) secrets.set(`domain key ${version}`, key.export())
  for await (const { table, rows } of rowsOf(reader, keyring)) {
    if (table.name !== keyMaterials.name) continue
    for (const row of rows) {
      const material = keyMaterials.toRecord(row as never) // as the backup has it
      if (material.wrapped.length === 0) continue
      for (const [part, bytes] of partsOf(openMaterial(keyring, material))) {
        secrets.set(`${material.spec} ${material.keyId} ${part}`, bytes)
      }
    }
  }
  return secrets
}

async function search(
  t: TestContext,
  database?: { readonly url: string; readonly folder: string },
) {
  const folder = temporaryFolder(t)
  const [data, sealed, temporary, backups, delivered] = [
    join(folder, 'data'),
    temporaryFolder(t),
    ...['tmp', 'backups', 'delivered'].map((name) => join(folder, name)),
  ]
  assert.ok(temporary !== undefined && backups !== undefined && delivered !== undefined)
  for (const path of [temporary, backups, delivered]) mkdirSync(path)
  const sealKey = join(sealed, 'seal.key')
  const settings = {
    ...root,
    TMPDIR: temporary,
    TRENT_SEAL: `file:${sealKey}`,
    TRENT_BACKUP_DIR: backups,
    TRENT_BACKUP_INTERVAL_MINUTES: '1',
    TRENT_AUDIT_DIR: delivered,
    TRENT_LOG_LEVEL: 'trace',
    ...(database && { TRENT_DATABASE_URL: database.url }),
  }
  const server = await serve(t, folder, settings)
  const { kms, iam, sts } = clientsOf(t, server)
  const secrets: Secrets = new Map()
  const make = async (input: CreateKeyCommandInput): Promise<string> =>
    (await kms.send(new CreateKeyCommand(input))).KeyMetadata?.KeyId ?? ''
  const key = await make({})
  await make({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
  await make({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  await make({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  const imports = importing(kms)
  const imported = await imports.makeExternal()
  const importedMaterial = randomBytes(32)
  await imports.send(imported, importedMaterial, await imports.parameters(imported))
  secrets.set('imported material', importedMaterial)
  await kms.send(new RotateKeyOnDemandCommand({ KeyId: key }))
  const Plaintext = randomBytes(40)
  secrets.set('plaintext', Plaintext)
  await kms.send(new EncryptCommand({ KeyId: key, Plaintext }))
  const dataKey = await kms.send(new GenerateDataKeyCommand({ KeyId: key, KeySpec: 'AES_256' }))
  secrets.set('data key', dataKey.Plaintext ?? new Uint8Array())
  const random = await kms.send(new GenerateRandomCommand({ NumberOfBytes: 32 }))
  secrets.set('random bytes', random.Plaintext ?? new Uint8Array())
  await iam.send(new CreateUserCommand({ UserName: 'alice' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
  secrets.set('secret access key', Buffer.from(AccessKey?.SecretAccessKey ?? ''))
  const session = await sts.send(new GetSessionTokenCommand({}))
  secrets.set('session secret', Buffer.from(session.Credentials?.SecretAccessKey ?? ''))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: imported, PendingWindowInDays: 7 }))
  const backup = join(folder, 'backup')
  // One backup at a time: the schedule begins with one.
  await eventually(60_000, async () =>
    readdirSync(backups).some((name) => name.endsWith('.backup')),
  )
  const own = { ...freePort(folder), ...settings }
  const taken = await trentEnded(t, ['backup', backup], own, folder)
  assert.equal(taken.code, 0, taken.stderr)
  await end(server, 'SIGKILL')
  for (const [name, secret] of await secretsOf(backup, sealKey)) {
    if (!importedMaterial.equals(secret)) secrets.set(name, secret)
  }
  assert.ok(secrets.size >= 6 + 2 + 6, [...secrets.keys()].join(', '))
  for (const [name, { length }] of secrets) assert.ok(length >= 32, `${name}: ${length} bytes`)

  const files = new Map([
    ...filesBelow(folder),
    ...(database ? filesBelow(database.folder) : []),
    ['standard output', Buffer.from(server.stdout())],
    ['standard error', Buffer.from(server.stderr())],
  ])
  for (const name of database ? ['journal', 'backups'] : ['trent.db-wal', 'journal', 'backups']) {
    assert.ok(
      [...files.keys()].some((file) => file.includes(name)),
      name,
    )
  }
  assert.deepEqual(foundIn(files, secrets), [])
  // The search would find them.
  const places = [...secrets].map(([name, secret], index) => {
    const forms = encodings(secret)
    const form = forms[index % forms.length] ?? Buffer.alloc(0)
    return [name, Buffer.concat([randomBytes(5), form, randomBytes(5)])] as const
  })
  assert.equal(foundIn(new Map(places), secrets).length, secrets.size)
  writeFileSync(join(data, 'planted'), `{"key":"${importedMaterial.toString('base64')}"}`)
  assert.deepEqual(foundIn(filesBelow(data), secrets), [
    `${join(data, 'planted')}: imported material`,
  ])
}

test('no file of a server on SQLite holds key material, secrets or plaintexts', (t) => search(t))

test('no file of a server on PostgreSQL, or of its database, holds them', { skip }, async (t) => {
  const binaries = installedPostgres().find(({ version }) => version === testedVersions[0])
  assert.ok(binaries)
  const postgres = await startPostgres(binaries)
  t.after(() => postgres.stop())
  await asSuperuser(postgres, 'postgres', 'CREATE DATABASE trent')
  const { superuser, password, port, folder } = postgres
  await search(t, { url: `postgres://${superuser}:${password}@127.0.0.1:${port}/trent`, folder })
})
