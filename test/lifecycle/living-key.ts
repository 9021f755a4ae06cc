/** A key of a real server, and each operation of its life, in each of its Regions. @module */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { CreateKeyCommand, type KMSClient, type KMSServiceException } from '@aws-sdk/client-kms'
import { importing, type Parameters } from '../compat/importing.ts'
import type { Given, Outcome } from './life-calls.ts'
import type { Kind } from './life-model.ts'
import { makeProof, type Proof } from './life-proofs.ts'

export interface LivingKey {
  readonly kind: Kind
  readonly keyId: string
  readonly client: (place: string) => KMSClient
  /** Another key of the same kind in the Region, which stays enabled. */
  readonly spare: (place: string) => Promise<string>
  /** The ids of materials by the model's names, as far as they are known. */
  readonly materialIds: Map<string, string>
  /** Import parameters, by Region. */
  readonly parameters: Map<string, Parameters>
  /** Names and ids by Region. */
  readonly aliases: Map<string, string[]>
  readonly grants: Map<string, string[]>
  readonly proofs: NamedProof[]
}

/** A proof, with the test's name for it. */
export type NamedProof = Proof & { readonly name: string }

/** Spare keys, created when they are first needed. */
export interface Spares {
  readonly client: (place: string) => KMSClient
  readonly made: Map<string, Promise<string>>
}

export async function makeLivingKey(
  kind: Kind,
  place: string,
  spares: Spares,
  Description = '',
): Promise<LivingKey> {
  const { client } = spares
  const keyId = await create(client(place), kind, Description)
  return livingKey(kind, keyId, spares)
}

/** The same for an existing key. */
export function livingKey(kind: Kind, keyId: string, { client, made }: Spares): LivingKey {
  return {
    kind,
    keyId,
    client,
    spare(place) {
      const { spec, usage } = kind
      const name = `${place} ${spec} ${usage}`
      const like = { spec, usage, origin: 'AWS_KMS', multiRegion: false } as const
      const key = made.get(name) ?? create(client(place), like, 'spare')
      made.set(name, key)
      return key
    },
    materialIds: new Map(),
    parameters: new Map(),
    aliases: new Map(),
    grants: new Map(),
    proofs: [],
  }
}

async function create(kms: KMSClient, kind: Kind, Description: string): Promise<string> {
  const { spec: KeySpec, usage: KeyUsage, origin: Origin, multiRegion: MultiRegion } = kind
  const input = { KeySpec, KeyUsage, Origin, MultiRegion, Description }
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input))
  return KeyMetadata?.KeyId ?? assert.fail('no key was made')
}

/** The name of the error that the server returns; undefined for success. */
export async function outcomeOf(asked: Promise<unknown>): Promise<Outcome> {
  try {
    await asked
    return undefined
  } catch (error) {
    const { name, $metadata } = error as KMSServiceException
    if ($metadata?.httpStatusCode === 400) return name
    throw error
  }
}

/** Makes another proof, to be checked from now on. */
export async function addProof(key: LivingKey, place: string, name: string): Promise<void> {
  const { kind, keyId, proofs } = key
  const proof = await makeProof(key.client(place), place, keyId, kind, proofs.length)
  proofs.push({ ...proof, name })
}

const pairs = new Map<string, Buffer>()

/** The bytes of a named material: the same for the same name. */
export function materialOf({ spec }: Kind, keyId: string, name: string): Buffer {
  if (spec === 'SYMMETRIC_DEFAULT' || spec === 'HMAC_256') {
    return createHash('sha256').update(`${keyId} ${name}`).digest()
  }
  const known = pairs.get(`${spec} ${keyId} ${name}`)
  if (known !== undefined) return known
  const { privateKey } = spec.startsWith('RSA')
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const made = privateKey.export({ type: 'pkcs8', format: 'der' })
  pairs.set(`${spec} ${keyId} ${name}`, made)
  return made
}

/** Whether material can be imported at `now`, the server's time, with parameters requested before. */
export function hasParameters({ parameters }: LivingKey, place: string, now: number): boolean {
  return (parameters.get(place)?.validTo.getTime() ?? 0) > now + 7_200_000
}

/** The known parameters while they are valid. @throws the error of requesting others */
export function freshParameters(key: LivingKey, place: string, now: number): Promise<Parameters> {
  const known = hasParameters(key, place, now) ? key.parameters.get(place) : undefined
  return known === undefined ? askParameters(key, place) : Promise.resolve(known)
}

/** @throws the error that refuses them */
export async function askParameters(key: LivingKey, place: string): Promise<Parameters> {
  const algorithm = key.kind.spec.startsWith('RSA')
    ? 'RSA_AES_KEY_WRAP_SHA_256'
    : 'RSAES_OAEP_SHA_256'
  const made = await importing(key.client(place)).parameters(key.keyId, algorithm)
  key.parameters.set(place, made)
  return made
}

/** @param by parameters that may be refused */
export async function sendMaterial(
  key: LivingKey,
  place: string,
  { material = '', type, validTo }: Given,
  by: Parameters,
): Promise<void> {
  const { kind, keyId, materialIds } = key
  const answer = await importing(key.client(place)).send(
    keyId,
    materialOf(kind, keyId, material),
    by,
    {
      ...(validTo === undefined
        ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
        : { ValidTo: new Date(validTo) }),
      ...(type !== undefined && { ImportType: type }),
    },
  )
  const symmetric = kind.spec === 'SYMMETRIC_DEFAULT'
  assert.equal(answer.KeyMaterialId !== undefined, symmetric, 'only theirs are told apart')
  if (answer.KeyMaterialId === undefined) return
  assert.equal(materialIds.get(material) ?? answer.KeyMaterialId, answer.KeyMaterialId)
  materialIds.set(material, answer.KeyMaterialId)
}
