/**
 * Services that have service-linked roles, and what AWS calls those.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
 * @module
 */
interface LinkedService {
  /** What follows `AWSServiceRoleFor`. */
  readonly name: string
  /** Whether there may be several, told apart by a suffix. */
  readonly suffixed?: true
}

const services: ReadonlyMap<string, LinkedService> = new Map<string, LinkedService>([
  ['autoscaling.amazonaws.com', { name: 'AutoScaling', suffixed: true }],
  ['batch.amazonaws.com', { name: 'Batch' }],
  ['cks.kms.amazonaws.com', { name: 'KeyManagementServiceCustomKeyStores' }],
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
  ['mrk.kms.amazonaws.com', { name: 'KeyManagementServiceMultiRegionKeys' }],
  ['opensearchservice.amazonaws.com', { name: 'AmazonOpenSearchService' }],
  ['organizations.amazonaws.com', { name: 'Organizations' }],
  ['rds.amazonaws.com', { name: 'RDS' }],
  ['spot.amazonaws.com', { name: 'EC2Spot' }],
  ['spotfleet.amazonaws.com', { name: 'EC2SpotFleet' }],
  ['support.amazonaws.com', { name: 'Support' }],
  ['trustedadvisor.amazonaws.com', { name: 'TrustedAdvisor' }],
])

/** The name is the caller's. */
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

interface DeletionTask {
  /** `<service>/<role name>`: what it was that was deleted. */
  readonly deleted: string
  readonly token: string
}

/** `task/aws-service-role/<service>/<role name>/<token>`; undefined for what is none. */
export function readDeletionTask(id: string): DeletionTask | undefined {
  const [, deleted, token] =
    /^task\/aws-service-role\/([\w.-]+\/[\w+=,.@-]+)\/([\w-]+)$/.exec(id) ?? []
  return deleted === undefined || token === undefined ? undefined : { deleted, token }
}

export function deletionTaskId({ deleted, token }: DeletionTask): string {
  return `task/aws-service-role/${deleted}/${token}`
}

/** What the token of a deletion task is bound to. */
export function deletionScope(accountId: string, deleted: string): string {
  return JSON.stringify(['DeleteServiceLinkedRole', accountId, deleted])
}
