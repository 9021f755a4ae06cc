/** What the records of a call say. @module */
import type { Caller } from '../../model/caller.ts'
import type { UsedMaterials } from '../../operations/contract/call.ts'
import type { Operation } from '../../operations/contract/operation.ts'
import type { Reason } from '../../policy/decision.ts'

export interface Audited {
  readonly eventId: string
  readonly requestId: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly operation: Operation
  readonly caller: Caller
  readonly region: string
  readonly sourceAddress: string
  /** False when the connection could be read on the way. */
  readonly secure?: boolean
  readonly userAgent: string | undefined
  /** For calls over TLS; the key exchange is not known. */
  readonly tls?: TlsDetails | undefined
  /** Undefined when the input could not be read. */
  readonly input: Readonly<Record<string, unknown>> | undefined
  /** ARNs of the call's resources, with their accounts. A resource without a type is a key. */
  readonly resources: readonly {
    readonly arn: string
    readonly accountId: string
    readonly type?: string
  }[]
  readonly reasons: readonly (Reason & { readonly action: string })[]
  /** What the attestation document of the call has proved. */
  readonly recipient?: Readonly<Record<string, string>> | undefined
  /** The id of the grant that the call names. */
  readonly grantId?: string | undefined
  /** The symmetric key materials that the call uses. */
  readonly materials?: UsedMaterials | undefined
  /** The custom key store that the call is about, and the external key in it. */
  readonly keyStore?: Readonly<Record<string, string>> | undefined
  /** Event ids of key uses, if they differ from the id of their account's record. */
  readonly keyEvents?: readonly {
    readonly arn: string
    readonly accountId: string
    readonly eventId: string
  }[]
  /** Present in the records of all accounts that get one of the call. */
  readonly sharedEventId?: string | undefined
  /** The account that gets the record, if it is not the caller's. */
  readonly owner?: string | undefined
  /** Present only in a record that counts refused calls. */
  readonly refusals?: {
    readonly count: number
    /** Milliseconds since the epoch. */
    readonly since: number
    readonly calls: readonly object[]
    readonly callers?: readonly object[]
  }
  readonly outcome:
    | { readonly ok: true; readonly response: Readonly<Record<string, unknown>> | undefined }
    | { readonly ok: false; readonly code: string; readonly message: string }
}

export interface TlsDetails {
  readonly tlsVersion: string
  readonly cipherSuite: string
  readonly clientProvidedHostHeader: string | undefined
}

/** What the service did for a call in another Region; it gets an event of its own there. */
export interface AuditedFurther {
  /** The service of the event, if it is not the call's service. */
  readonly service?: string
  readonly eventId: string
  readonly eventName: string
  readonly region: string
  readonly requestParameters: Readonly<Record<string, unknown>>
  readonly responseElements: Readonly<Record<string, unknown>>
  readonly resources: Audited['resources']
}
