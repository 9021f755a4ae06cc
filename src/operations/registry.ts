/**
 * Every operation, by the service and the name that a request says: a closed list, because the name
 * is the caller's to choose.
 * @module
 */
import { cancelKeyDeletion } from './kms/cancel-key-deletion.ts'
import { createAlias } from './kms/create-alias.ts'
import { createGrant } from './kms/create-grant.ts'
import { createKey } from './kms/create-key.ts'
import { decapsulate } from './kms/decapsulate.ts'
import { decrypt } from './kms/decrypt.ts'
import { deleteAlias } from './kms/delete-alias.ts'
import { deleteImportedKeyMaterial } from './kms/delete-imported-key-material.ts'
import { deriveSharedSecret } from './kms/derive-shared-secret.ts'
import { describeKey } from './kms/describe-key.ts'
import { disableKey } from './kms/disable-key.ts'
import { disableKeyRotation } from './kms/disable-key-rotation.ts'
import { enableKey } from './kms/enable-key.ts'
import { enableKeyRotation } from './kms/enable-key-rotation.ts'
import { encapsulate } from './kms/encapsulate.ts'
import { encrypt } from './kms/encrypt.ts'
import { generateDataKey } from './kms/generate-data-key.ts'
import { generateDataKeyPair } from './kms/generate-data-key-pair.ts'
import { generateDataKeyPairWithoutPlaintext } from './kms/generate-data-key-pair-without-plaintext.ts'
import { generateDataKeyWithoutPlaintext } from './kms/generate-data-key-without-plaintext.ts'
import { generateMac } from './kms/generate-mac.ts'
import { generateRandom } from './kms/generate-random.ts'
import { getKeyLastUsage } from './kms/get-key-last-usage.ts'
import { getKeyPolicy } from './kms/get-key-policy.ts'
import { getKeyRotationStatus } from './kms/get-key-rotation-status.ts'
import { getParametersForImport } from './kms/get-parameters-for-import.ts'
import { getPublicKey } from './kms/get-public-key.ts'
import { importKeyMaterial } from './kms/import-key-material.ts'
import { listAliases } from './kms/list-aliases.ts'
import { listGrants } from './kms/list-grants.ts'
import { listKeyPolicies } from './kms/list-key-policies.ts'
import { listKeyRotations } from './kms/list-key-rotations.ts'
import { listKeys } from './kms/list-keys.ts'
import { listResourceTags } from './kms/list-resource-tags.ts'
import { listRetirableGrants } from './kms/list-retirable-grants.ts'
import { putKeyPolicy } from './kms/put-key-policy.ts'
import { reEncrypt } from './kms/re-encrypt.ts'
import { replicateKey } from './kms/replicate-key.ts'
import { retireGrant } from './kms/retire-grant.ts'
import { revokeGrant } from './kms/revoke-grant.ts'
import { rotateKeyOnDemand } from './kms/rotate-key-on-demand.ts'
import { scheduleKeyDeletion } from './kms/schedule-key-deletion.ts'
import { sign } from './kms/sign.ts'
import { tagResource } from './kms/tag-resource.ts'
import { untagResource } from './kms/untag-resource.ts'
import { updateAlias } from './kms/update-alias.ts'
import { updateKeyDescription } from './kms/update-key-description.ts'
import { updatePrimaryRegion } from './kms/update-primary-region.ts'
import { verify } from './kms/verify.ts'
import { verifyMac } from './kms/verify-mac.ts'
import type { Operation } from './operation.ts'

const operations: readonly Operation[] = [
  cancelKeyDeletion,
  createAlias,
  createGrant,
  createKey,
  decapsulate,
  decrypt,
  deleteAlias,
  deleteImportedKeyMaterial,
  deriveSharedSecret,
  describeKey,
  disableKey,
  disableKeyRotation,
  enableKey,
  enableKeyRotation,
  encapsulate,
  encrypt,
  generateDataKey,
  generateDataKeyPair,
  generateDataKeyPairWithoutPlaintext,
  generateDataKeyWithoutPlaintext,
  generateMac,
  generateRandom,
  getKeyLastUsage,
  getKeyPolicy,
  getKeyRotationStatus,
  getParametersForImport,
  getPublicKey,
  importKeyMaterial,
  listAliases,
  listGrants,
  listKeyPolicies,
  listKeyRotations,
  listKeys,
  listResourceTags,
  listRetirableGrants,
  putKeyPolicy,
  reEncrypt,
  replicateKey,
  retireGrant,
  revokeGrant,
  rotateKeyOnDemand,
  scheduleKeyDeletion,
  sign,
  tagResource,
  untagResource,
  updateAlias,
  updateKeyDescription,
  updatePrimaryRegion,
  verify,
  verifyMac,
]

/** By `<service>:<name>`, for example `kms:Encrypt`. */
export const registry: ReadonlyMap<string, Operation> = new Map(
  operations.map((known) => [`${known.service}:${known.name}`, known]),
)
