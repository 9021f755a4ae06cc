/**
 * Services that stand on Trent as AWS's own stand on KMS: a name as `s3.amazonaws.com` in a Region, with
 * credentials of its own.
 * @module
 */
import type { AccessKeyRecord } from './access-key.ts'

export interface ServiceRef {
  /** The service principal: `s3.amazonaws.com`. */
  readonly name: string
  readonly region: string
}

export interface ServiceRecord
  extends ServiceRef, Pick<AccessKeyRecord, 'accessKeyId' | 'wrappingVersion' | 'wrappedSecret'> {
  /** Under which its users reach it, in lower case: `s3.local`, `*.s3.local`, with a port or not. */
  readonly hosts: readonly string[]
  readonly createdAt: number
  readonly rowVersion: number
}

/** A service that calls: its principal, and the same with its Region. */
export interface CallingService {
  readonly name: string
  /** As `kms:ViaService` has it: `s3.us-west-2.amazonaws.com`. */
  readonly regionalName: string
}

/** A service that calls in its own name, and the resource that it says it calls for. */
export interface ServicePrincipal extends CallingService {
  readonly region: string
  readonly sourceArn?: string
  readonly sourceAccount?: string
  readonly sourceOrgId?: string
}

/** The access keys of services begin so, and no other that is made. */
export const serviceKeyPrefix = 'ATSV'

/** One label before it: what is signed for a service, and its infrastructure, are told by that alone. */
const suffix = '.amazonaws.com'
/** What may be registered. */
export const serviceNamePattern = '^[a-z0-9-]{1,63}\\.amazonaws\\.com$'

/** Trent's own: who signs for them signs for Trent, and nobody may answer in its stead. */
const ownNames: readonly string[] = ['kms', 'iam', 'sts', 'trent']

/** Whether a service of that name would be taken for Trent itself. */
export function isOwnName(name: string): boolean {
  return ownNames.includes(signingNameOf(name))
}

/** The suffixes under which AWS names its services. */
const principalPattern =
  /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal)$/

/** Whether a text can name a service as a principal: `ec2.amazonaws.com`, `sns.us-west-2.amazonaws.com`. */
export function isServicePrincipal(text: string): boolean {
  return principalPattern.test(text)
}

export function callingService({ name, region }: ServiceRef): CallingService {
  return { name, regionalName: `${signingNameOf(name)}.${region}${suffix}` }
}

/** The service of credential scopes that are signed for it: `s3`. */
export function signingNameOf(name: string): string {
  return name.slice(0, -suffix.length)
}

/** Where its users reach it, where nothing else is said. */
export function defaultHostOf(service: ServiceRef): string {
  return callingService(service).regionalName
}

/**
 * Whether a request to `host` is one to the service. A host that was registered without a port is meant
 * with any; `*.` stands for one label or more, as the buckets before a name of S3.
 */
export function isHostOf({ hosts }: Pick<ServiceRecord, 'hosts'>, host: string): boolean {
  const given = host.toLowerCase()
  const bare = given.replace(/:\d{1,5}$/, '')
  return hosts.some((known) => {
    const text = /:\d{1,5}$/.test(known) ? given : bare
    return known.startsWith('*.')
      ? text.length > known.length - 1 && text.endsWith(known.slice(1))
      : text === known
  })
}
