/** Rows of many kinds, and which domain keys protect them. @module */
import assert from 'node:assert/strict'
import { constants, publicEncrypt, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after } from 'node:test'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  RotateKeyOnDemandCommand,
  SignCommand,
} from '@aws-sdk/client-kms'
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { everyTable } from '../../src/store/schema/schema.ts'
import { accountId, credentials, type TestServer } from '../harness.ts'

export interface Made {
  readonly ciphertexts: readonly Uint8Array[]
  readonly signingKey: string
  readonly userKey: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/** Rows of many kinds: keys, materials, aliases, grants, users, access keys, deleted material. */
export async function fill(server: TestServer): Promise<Made> {
  const kms = server.client()
  const iam = new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials })
  after(() => iam.destroy())
  const ciphertexts: Uint8Array[] = []
  for (let count = 0; count < 5; count += 1) {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId
    ciphertexts.push(await encrypted(server, KeyId))
    if (count === 0) {
      await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
      ciphertexts.push(await encrypted(server, KeyId))
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: KeyId }))
      const GranteePrincipal = `arn:aws:iam::${accountId}:root`
      const Operations = ['Encrypt'] as const
      await kms.send(
        new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: [...Operations] }),
      )
    }
  }
  const { KeyMetadata: pair } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  )
  await deleteImported(server)
  await iam.send(new CreateUserCommand({ UserName: 'u' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'u' }))
  const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '' } = AccessKey ?? {}
  return {
    ciphertexts,
    signingKey: pair?.KeyId ?? '',
    userKey: { accessKeyId, secretAccessKey },
  }
}

export async function encrypted(
  server: TestServer,
  KeyId: string | undefined,
): Promise<Uint8Array> {
  const input = { KeyId, Plaintext: Buffer.from('hello') }
  const { CiphertextBlob } = await server.client().send(new EncryptCommand(input))
  return CiphertextBlob ?? new Uint8Array()
}

async function deleteImported(server: TestServer): Promise<void> {
  const kms = server.client()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))
  const KeyId = KeyMetadata?.KeyId
  const algorithm = {
    WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
    WrappingKeySpec: 'RSA_2048',
  } as const
  const given = await kms.send(new GetParametersForImportCommand({ KeyId, ...algorithm }))
  const key = { key: Buffer.from(given.PublicKey ?? []), format: 'der', type: 'spki' } as const
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' } as const
  const EncryptedKeyMaterial = publicEncrypt({ ...key, ...padding }, randomBytes(32))
  const { ImportToken } = given
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE' as const
  await kms.send(
    new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }),
  )
  await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId }))
}

export async function assertOpens(
  server: TestServer,
  { ciphertexts, ...made }: Made,
): Promise<void> {
  const kms = server.client()
  for (const CiphertextBlob of ciphertexts) {
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
    assert.equal(Buffer.from(Plaintext ?? []).toString(), 'hello')
  }
  const SigningAlgorithm = 'ECDSA_SHA_256' as const
  const input = { KeyId: made.signingKey, Message: Buffer.from('m'), SigningAlgorithm }
  assert.ok((await kms.send(new SignCommand(input))).Signature)
  // Proves the signature of the user's key; the user has no permission.
  const asUser = server.client({ credentials: made.userKey })
  await assert.rejects(asUser.send(new DescribeKeyCommand({ KeyId: made.signingKey })), {
    name: 'AccessDeniedException',
  })
}

/** The domain keys that protect rows, by table. */
export function protectors({ directory }: TestServer): Readonly<Record<string, readonly number[]>> {
  const file = new DatabaseSync(join(directory, 'trent.db'), { readOnly: true })
  const found: Record<string, readonly number[]> = {}
  for (const { name, columns } of everyTable) {
    const versions = new Set<number>()
    if ('row_tag' in columns) {
      for (const row of file.prepare(`SELECT row_tag FROM ${name}`).all()) {
        versions.add(Buffer.from(row['row_tag'] as Uint8Array).readUInt32BE())
      }
    }
    if ('wrapping_version' in columns && name !== 'deleted_materials') {
      const bytes = 'wrapped' in columns ? 'wrapped' : 'wrapped_secret'
      const text = `SELECT wrapping_version FROM ${name} WHERE length(${bytes}) > 0`
      for (const row of file.prepare(text).all()) versions.add(Number(row['wrapping_version']))
    }
    if (versions.size > 0) found[name] = [...versions].toSorted((a, b) => a - b)
  }
  file.close()
  return found
}
