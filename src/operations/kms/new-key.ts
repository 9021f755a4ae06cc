/**
 * Checks which key CreateKey shall create: AWS's defaults, and the combinations that AWS refuses, in AWS's
 * order.
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
 * @module
 */
import { algorithmNames, keySpecs } from '../../crypto/key-specs.ts'
import { KmsError } from '../../errors.ts'
import type { KeyOrigin, KeySpec, KeyUsage } from '../../model/key.ts'

/** Exists only in China Regions. Trent does not support it. */
type ChineseSpec = 'SM2'

/** The members of CreateKey that decide the kind of key. */
export interface KeyRequest {
  readonly KeySpec?: KeySpec | ChineseSpec
  readonly CustomerMasterKeySpec?: KeySpec | ChineseSpec
  readonly KeyUsage?: KeyUsage
  readonly Origin?: KeyOrigin
  readonly CustomKeyStoreId?: string
  readonly XksKeyId?: string
  readonly MultiRegion?: boolean
}

/** Ids of multi-Region keys begin with `mrk-`. An id is unique in an account and Region. */
export function newKeyId(uuid: string, { MultiRegion }: KeyRequest): string {
  return MultiRegion === true ? `mrk-${uuid.replaceAll('-', '')}` : uuid
}

export interface NewKey {
  readonly spec: KeySpec
  readonly usage: KeyUsage
  readonly origin: KeyOrigin
}

/** The requested key with AWS's defaults, not yet checked: for policies and the audit record. */
export function requestedKey(request: KeyRequest): {
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
 * Returns the kind of key to create.
 * @throws {KmsError} `ValidationException` for what AWS refuses too,
 *   `UnsupportedOperationException` for what only Trent does not support
 */
export function requireNewKey(request: KeyRequest): NewKey {
  if (request.KeySpec !== undefined && request.CustomerMasterKeySpec !== undefined) {
    throw invalid(
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. ' +
        'CustomerMasterKeySpec is deprecated.',
    )
  }
  const { spec, usage, origin } = requestedKey(request)
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
  return { spec, usage, origin }
}

/** Checks that the origin fits the other members. */
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

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}

function unsupported(message: string): KmsError {
  return new KmsError('UnsupportedOperationException', message)
}
