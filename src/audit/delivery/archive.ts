/**
 * The place that files are delivered to: a directory, or buckets of an S3-compatible server. @module
 */

export interface ArchivedObject {
  readonly bucket: string
  /** The object's key: names joined by slashes. */
  readonly key: string
  /** gzip of JSON. */
  readonly bytes: Uint8Array
  readonly metadata: Readonly<Record<string, string>>
  /** ARN of the KMS key to encrypt under. */
  readonly kmsKeyId?: string
}

export interface Archive {
  /** Whether it can encrypt under a KMS key. */
  readonly encrypts: boolean
  /**
   * Stores an object durably; storing the same object again is not an error. @throws when the object is
   * not stored as asked
   */
  put(object: ArchivedObject, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
