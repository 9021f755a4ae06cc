/**
 * What key CreateKey is asked for: AWS's defaults, and the combinations that AWS refuses, in the order
 * in which it looks.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
 * @module
 */
import { algorithmNames, keySpecs } from '../../crypto/key-specs.ts'
import { KmsError } from '../../errors.ts'
import type { KeyOrigin, KeySpec, KeyUsage } from '../../model/key.ts'

/** Made in China Regions alone; Trent serves none where it is offered. */
type ChineseSpec = 'SM2'

/** The members of CreateKey that decide what key is made. */
export interface KeyRequest {
  readonly KeySpec?: KeySpec | ChineseSpec
  readonly CustomerMasterKeySpec?: KeySpec | ChineseSpec
  readonly KeyUsage?: KeyUsage
  readonly Origin?: KeyOrigin
  readonly CustomKeyStoreId?: string
  readonly XksKeyId?: string
  readonly MultiRegion?: boolean
}

/** A multi-Region key's id says that it is one; a Region and an account have it once. */
export function newKeyId(uuid: string, { MultiRegion }: KeyRequest): string {
  return MultiRegion === true ? `mrk-${uuid.replaceAll('-', '')}` : uuid
}

export interface NewKey {
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
}

/** What a request says and AWS fills in, checked or not: for policies and for the audit record. */
export function askedFor(request: KeyRequest): {
  readonly spec: KeySpec | ChineseSpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
} {
  return {
    spec: request.KeySpec ?? request.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT',
    usage: request.KeyUsage ?? 'ENCRYPT_DECRYPT',
    origin: request.Origin ?? 'AWS_KMS',
  }
}

/**
 * @throws {KmsError} `ValidationException` for what is no key at AWS either,
 *   `UnsupportedOperationException` for what is none here
 */
export function requireNewKey(request: KeyRequest): NewKey {
  if (request.KeySpec !== undefined && request.CustomerMasterKeySpec !== undefined) {
    throw invalid(
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. ' +
        'CustomerMasterKeySpec is deprecated.',
    )
  }
  const { spec, usage, origin } = askedFor(request)
  if (spec === 'SM2') {
    throw unsupported('KeySpec SM2 is not supported in this Region')
  }
  if (request.KeyUsage === undefined && spec !== 'SYMMETRIC_DEFAULT') {
    throw invalid(
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    )
  }
  if (algorithmNames(spec, usage).length === 0) {
    throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`)
  }
  checkOrigin(request, spec, origin)
  requireSupported(origin)
  return { spec, usage, origin }
}

/** Where the material is to come from, against the other members. */
function checkOrigin(request: KeyRequest, spec: KeySpec, origin: KeyOrigin): void {
  if (origin === 'EXTERNAL' && !keySpecs[spec].importable) {
    throw invalid(`KeySpec ${spec} is not supported for Origin ${origin}`)
  }
  const custom = origin === 'AWS_CLOUDHSM' || origin === 'EXTERNAL_KEY_STORE'
  if (custom !== (request.CustomKeyStoreId !== undefined)) {
    throw invalid(
      custom
        ? `You must specify a CustomKeyStoreId value when the Origin is ${origin}.`
        : `You cannot specify a CustomKeyStoreId value when the Origin is ${origin}.`,
    )
  }
  const external = origin === 'EXTERNAL_KEY_STORE'
  if (external !== (request.XksKeyId !== undefined)) {
    throw invalid(
      external
        ? `You must specify an XksKeyId value when the Origin is ${origin}.`
        : `You cannot specify an XksKeyId value when the Origin is ${origin}.`,
    )
  }
  if (custom && spec !== 'SYMMETRIC_DEFAULT') {
    throw invalid(`KeySpec ${spec} is not compatible with Origin ${origin}`)
  }
  if (custom && request.MultiRegion === true) {
    throw invalid(`MultiRegion is not compatible with Origin ${origin}`)
  }
}

/** The one place that refuses the valid keys that Trent cannot make. */
function requireSupported(origin: KeyOrigin): void {
  if (origin !== 'AWS_KMS' && origin !== 'EXTERNAL') {
    throw unsupported(`keys of Origin \`${origin}\` are not supported`)
  }
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}

function unsupported(message: string): KmsError {
  return new KmsError('UnsupportedOperationException', message)
}
