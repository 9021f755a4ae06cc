/**
 * The metrics that there are, and the names that AWS has for them.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-cloudwatch.html
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Service-Quota-Integration.html
 * @module
 */
import { keyPairSpec } from '../kms/members.ts'
import { kmsRegistry } from '../kms/registry.ts'

export interface Dimension {
  readonly Name: string
  readonly Value: string
}

/** A metric as CloudWatch names it. */
export interface MetricName {
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions: Dimension[]
}

/** A metric as it is read. */
export type KnownMetric =
  /** How long the material of a key is still there. */
  | { readonly kind: 'expiration'; readonly keyId: string }
  /** Successful cryptography with a key. For ReEncrypt: with two, which may be one. */
  | { readonly kind: 'requests'; readonly keyArns: readonly string[]; readonly operation: string }
  /** Every call of an operation of KMS. */
  | { readonly kind: 'calls'; readonly operation: string }

export const metricNames = {
  expiration: { Namespace: 'AWS/KMS', MetricName: 'SecondsUntilKeyMaterialExpiration' },
  requests: { Namespace: 'AWS/KMS', MetricName: 'SuccessfulRequest' },
  calls: { Namespace: 'AWS/Usage', MetricName: 'CallCount' },
} as const

export const metricUnits = { expiration: 'Seconds', requests: 'Count', calls: 'None' } as const

const ofKms = [...kmsRegistry.values()].filter(({ service }) => service === 'kms')
const makesPairs = new Set(
  ofKms.filter(({ input }) => 'KeyPairSpec' in input).map(({ name }) => name),
)

export const callableOperations: ReadonlySet<string> = new Set(ofKms.map(({ name }) => name))
export const cryptographicOperations: ReadonlySet<string> = new Set(
  ofKms.filter(({ tracksUsage }) => tracksUsage !== undefined).map(({ name }) => name),
)

/** The names that its requests are counted under: of those that make pairs, with the pair's spec as well. */
export function countedNames(operation: string): readonly string[] {
  if (!makesPairs.has(operation)) return [operation]
  return [operation, ...(keyPairSpec.limits.values ?? []).map((spec) => `${operation} ${spec}`)]
}

/** The operation behind such a name. */
export function operationOf(counted: string): string {
  return counted.split(' ', 1)[0] ?? counted
}

/** Behind every name that `operation` is counted by, in the order of bytes, and before any other's. */
export function afterNamesOf(operation: string): string {
  return `${operation} ~`
}

export function expirationMetric(keyId: string): MetricName {
  return { ...metricNames.expiration, Dimensions: [{ Name: 'KeyId', Value: keyId }] }
}

/** @param keyArns as they are counted: one, or two with a space between */
export function requestsMetric(keyArns: string, operation: string): MetricName {
  const [first = '', second = first] = keyArns.split(' ')
  const keys =
    operation === 'ReEncrypt'
      ? [
          { Name: 'SourceKeyArn', Value: first },
          { Name: 'DestinationKeyArn', Value: second },
        ]
      : [{ Name: 'KeyArn', Value: first }]
  return {
    ...metricNames.requests,
    Dimensions: [...keys, { Name: 'Operation', Value: operation }],
  }
}

export function callsMetric(operation: string): MetricName {
  return {
    ...metricNames.calls,
    Dimensions: [
      { Name: 'Service', Value: 'KMS' },
      { Name: 'Type', Value: 'API' },
      { Name: 'Resource', Value: operation },
      { Name: 'Class', Value: 'None' },
    ],
  }
}

/** The metric of just these names and dimensions, in any order; undefined where there is none such. */
export function knownMetric(name: {
  readonly Namespace?: string
  readonly MetricName?: string
  readonly Dimensions?: readonly Dimension[]
}): KnownMetric | undefined {
  const dimensions = name.Dimensions ?? []
  const values = new Map(dimensions.map(({ Name, Value }) => [Name, Value]))
  const valueOf = (dimension: string): string => values.get(dimension) ?? ''
  const operation = valueOf('Operation')
  const source = valueOf('SourceKeyArn')
  const candidates: readonly [MetricName, KnownMetric][] = [
    [expirationMetric(valueOf('KeyId')), { kind: 'expiration', keyId: valueOf('KeyId') }],
    [
      requestsMetric(
        operation === 'ReEncrypt' ? `${source} ${valueOf('DestinationKeyArn')}` : valueOf('KeyArn'),
        operation,
      ),
      {
        kind: 'requests',
        operation,
        keyArns:
          operation === 'ReEncrypt' ? [source, valueOf('DestinationKeyArn')] : [valueOf('KeyArn')],
      },
    ],
    [callsMetric(valueOf('Resource')), { kind: 'calls', operation: valueOf('Resource') }],
  ]
  const found = candidates.find(
    ([{ Namespace, MetricName, Dimensions }]) =>
      Namespace === name.Namespace &&
      MetricName === name.MetricName &&
      Dimensions.length === dimensions.length &&
      Dimensions.every(({ Name, Value }) => values.get(Name) === Value),
  )?.[1]
  if (found?.kind === 'requests' && !cryptographicOperations.has(found.operation)) return undefined
  return found?.kind === 'calls' && !callableOperations.has(found.operation) ? undefined : found
}
