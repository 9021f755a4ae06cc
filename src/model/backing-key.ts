/** The keys in an HSM behind a KMS key, as audit records name them. @module */

export interface BackingKey {
  /** The object's CKA_ID. A handle of PKCS #11 would name it for the time of one session only. */
  readonly keyHandle: string
  readonly backingKeyId: string
}

/** @param material the material of the KMS key. The object in the HSM has its id. */
export function backingKey({ materialId }: { readonly materialId: string }): BackingKey {
  return { keyHandle: materialId, backingKeyId: materialId }
}
