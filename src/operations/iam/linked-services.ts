/**
 * AWS's services that have service-linked roles, and the names of those roles.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
 * @module
 */
import { customKeyStoresPolicyId, multiRegionPolicyId } from '../../model/aws-managed-policies.ts'
import { identifierOf, uniqueIdCharacters } from '../../model/identity.ts'
import { maxSessionSecondsByDefault, type RoleRecord } from '../../model/role.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

interface LinkedService {
  /** The role's name after `AWSServiceRoleFor`. */
  readonly name: string
  /** An account can have several, which differ by a suffix. */
  readonly suffixed?: true
  /** The unique id of the managed policy that is attached to the role. */
  readonly policyId?: string
}

export const multiRegionService = 'mrk.kms.amazonaws.com'
export const customKeyStoresService = 'cks.kms.amazonaws.com'

const services: ReadonlyMap<string, LinkedService> = new Map<string, LinkedService>([
  ['autoscaling.amazonaws.com', { name: 'AutoScaling', suffixed: true }],
  ['batch.amazonaws.com', { name: 'Batch' }],
  [
    customKeyStoresService,
    { name: 'KeyManagementServiceCustomKeyStores', policyId: customKeyStoresPolicyId },
  ],
  ['cloudtrail.amazonaws.com', { name: 'CloudTrail' }],
  ['config.amazonaws.com', { name: 'Config' }],
  ['ecs.amazonaws.com', { name: 'ECS' }],
  ['ecs.application-autoscaling.amazonaws.com', { name: 'ApplicationAutoScaling_ECSService' }],
  ['eks.amazonaws.com', { name: 'AmazonEKS' }],
  ['eks-nodegroup.amazonaws.com', { name: 'AmazonEKSNodegroup' }],
  ['elasticache.amazonaws.com', { name: 'ElastiCache' }],
  ['elasticloadbalancing.amazonaws.com', { name: 'ElasticLoadBalancing' }],
  ['es.amazonaws.com', { name: 'AmazonElasticsearchService' }],
  ['guardduty.amazonaws.com', { name: 'AmazonGuardDuty' }],
  [
    multiRegionService,
    { name: 'KeyManagementServiceMultiRegionKeys', policyId: multiRegionPolicyId },
  ],
  ['opensearchservice.amazonaws.com', { name: 'AmazonOpenSearchService' }],
  ['organizations.amazonaws.com', { name: 'Organizations' }],
  ['rds.amazonaws.com', { name: 'RDS' }],
  ['spot.amazonaws.com', { name: 'EC2Spot' }],
  ['spotfleet.amazonaws.com', { name: 'EC2SpotFleet' }],
  ['support.amazonaws.com', { name: 'Support' }],
  ['trustedadvisor.amazonaws.com', { name: 'TrustedAdvisor' }],
])

/** The caller chooses the name, hence a `Map`. */
export function findLinkedService(serviceName: string): LinkedService | undefined {
  return services.get(serviceName)
}

export function linkedPath(serviceName: string): string {
  return `/aws-service-role/${serviceName}/`
}

export function linkedName({ name }: LinkedService, suffix?: string): string {
  const all = `AWSServiceRoleFor${name}`
  return suffix === undefined ? all : `${all}_${suffix}`
}

export function linkedTrustPolicy(serviceName: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: serviceName }, Action: 'sts:AssumeRole' }],
  })
}

/** A new service-linked role, which is not stored yet. @throws {Error} for an unknown service */
export function linkedRole(
  serviceLinked: string,
  of: {
    readonly accountId: string
    readonly suffix?: string | undefined
    readonly description: string
  },
  { clock, random }: Pick<OperationDependencies, 'clock' | 'random'>,
): Omit<RoleRecord, 'rowVersion'> {
  const service = findLinkedService(serviceLinked)
  if (service === undefined) throw new Error(`${serviceLinked} has no service-linked role`)
  const { accountId, suffix, description } = of
  return {
    roleId: identifierOf('AROA', random.bytes(uniqueIdCharacters)),
    accountId,
    name: linkedName(service, suffix),
    path: linkedPath(serviceLinked),
    trustPolicy: linkedTrustPolicy(serviceLinked),
    trustPrincipals: {},
    inlinePolicies: {},
    attachedPolicies: service.policyId === undefined ? [] : [service.policyId],
    tags: [],
    description,
    maxSessionSeconds: maxSessionSecondsByDefault,
    serviceLinked,
    createdAt: clock.now(),
  }
}
