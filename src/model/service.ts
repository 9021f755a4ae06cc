/**
 * Services built on Trent, as AWS's services are built on KMS: a name such as `s3.amazonaws.com` in
 * a Region, with its own credentials.
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
  /**
   * Host names at which users reach it, in lower case, with or without a port: `s3.local`,
   * `*.s3.local`.
   */
  readonly hosts: readonly string[]
  readonly createdAt: number
  readonly rowVersion: number
}

/** A service as the sender of a call: its service principal, and the same with the Region. */
export interface CallingService {
  readonly name: string
  /** As in `kms:ViaService`: `s3.us-west-2.amazonaws.com`. */
  readonly regionalName: string
}

/** A service that calls in its own name, with the resource that it claims to call for. */
export interface ServicePrincipal extends CallingService {
  readonly region: string
  readonly sourceArn?: string
  readonly sourceAccount?: string
  readonly sourceOrgId?: string
}

/** Access key ids of services, and no others, begin with this. */
export const serviceKeyPrefix = 'ATSV'

/**
 * A service's name is one label before this suffix: credential scopes and infrastructure names
 * contain only that label.
 */
const suffix = '.amazonaws.com'
/** Names that can be registered. */
export const serviceNamePattern = '^[a-z0-9-]{1,63}\\.amazonaws\\.com$'

/** Trent's own services. A service with such a name could sign or answer in place of Trent. */
const ownNames: readonly string[] = ['kms', 'iam', 'sts', 'trent']

/** Whether a service of that name could be mistaken for Trent itself. */
export function isOwnName(name: string): boolean {
  return ownNames.includes(signingNameOf(name))
}

/** The suffixes of AWS service names. */
const principalPattern =
  /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal)$/

/**
 * Whether the text can name a service principal: `ec2.amazonaws.com`,
 * `sns.us-west-2.amazonaws.com`.
 */
export function isServicePrincipal(text: string): boolean {
  return principalPattern.test(text)
}

export function callingService({ name, region }: ServiceRef): CallingService {
  return { name, regionalName: `${signingNameOf(name)}.${region}${suffix}` }
}

/** The service's name in credential scopes: `s3`. */
export function signingNameOf(name: string): string {
  return name.slice(0, -suffix.length)
}

/** The host of a service that is registered without hosts. */
export function defaultHostOf(service: ServiceRef): string {
  return callingService(service).regionalName
}

/**
 * Whether a request to `host` is for the service. A registered host without a port matches every
 * port. `*.` matches one or more labels, such as the bucket in an S3 host name.
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
