/**
 * The metrics that Trent has, with AWS's names and dimensions.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-cloudwatch.html
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Service-Quota-Integration.html
 * @module
 */
import {
  keyStoreFigures,
  type KeyStoreFigureName,
  type KeyStoreFigureRef,
} from '../../model/key-store-figure.ts'
import { keyPairSpec } from '../kms/members.ts'
import { kmsRegistry } from '../kms/registry.ts'

export interface Dimension {
  readonly Name: string
  readonly Value: string
}

/** The name of a metric in CloudWatch. */
export interface MetricName {
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions: Dimension[]
}

/** What a metric measures. */
export type Metric =
  /** Seconds until the material of a key expires. */
  | { readonly kind: 'expiration'; readonly keyId: string }
  /** Successful cryptographic operations with a key. ReEncrypt has two keys, which may be the same. */
  | { readonly kind: 'requests'; readonly keyArns: readonly string[]; readonly operation: string }
  /** Calls of a KMS operation, successful or not. */
  | { readonly kind: 'calls'; readonly operation: string }
  /** A figure of an external key store. */
  | {
      readonly kind: 'key-store'
      readonly storeId: string
      readonly name: KeyStoreFigureName
      /** JSON, as in the figure. */
      readonly dimensions: string
    }

export const metricNames = {
  expiration: { Namespace: 'AWS/KMS', MetricName: 'SecondsUntilKeyMaterialExpiration' },
  requests: { Namespace: 'AWS/KMS', MetricName: 'SuccessfulRequest' },
  calls: { Namespace: 'AWS/Usage', MetricName: 'CallCount' },
} as const

const metricUnits = { expiration: 'Seconds', requests: 'Count', calls: 'None' } as const

export function unitOf(metric: Metric): 'Seconds' | 'Count' | 'None' | 'Milliseconds' {
  return metric.kind === 'key-store' ? keyStoreFigures[metric.name].unit : metricUnits[metric.kind]
}

const ofKms = [...kmsRegistry.values()].filter(({ service }) => service === 'kms')
const makesPairs = new Set(
  ofKms.filter(({ input }) => 'KeyPairSpec' in input).map(({ name }) => name),
)

export const callableOperations: ReadonlySet<string> = new Set(ofKms.map(({ name }) => name))
export const cryptographicOperations: ReadonlySet<string> = new Set(
  ofKms.filter(({ tracksUsage }) => tracksUsage !== undefined).map(({ name }) => name),
)

/**
 * The counter names of an operation. Operations that generate key pairs have one for each pair spec too.
 */
export function countedNames(operation: string): readonly string[] {
  if (!makesPairs.has(operation)) return [operation]
  return [operation, ...(keyPairSpec.limits.values ?? []).map((spec) => `${operation} ${spec}`)]
}

/** The operation of a counter name. */
export function operationOf(counted: string): string {
  return counted.split(' ', 1)[0] ?? counted
}

/**
 * A text that sorts after every counter name of `operation` and before those of other operations, in byte
 * order.
 */
export function afterNamesOf(operation: string): string {
  return `${operation} ~`
}

export function expirationMetric(keyId: string): MetricName {
  return { ...metricNames.expiration, Dimensions: [{ Name: 'KeyId', Value: keyId }] }
}

/** @param keyArns one ARN, or two with a space between, as in the counters */
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

export function keyStoreMetric({
  storeId,
  name,
  dimensions,
}: Pick<KeyStoreFigureRef, 'storeId' | 'name' | 'dimensions'>): MetricName {
  const values = JSON.parse(dimensions) as readonly string[] // as a figure has them
  const named = keyStoreFigures[name].dimensions.map((each, at) => ({
    Name: each,
    Value: values[at] ?? '',
  }))
  const store = { Name: 'CustomKeyStoreId', Value: storeId }
  return { Namespace: 'AWS/KMS', MetricName: name, Dimensions: [store, ...named] }
}

/** The figure of a key store with these dimensions. */
function keyStoreFigureOf(
  metricName: string,
  values: ReadonlyMap<string, string>,
): readonly [MetricName, Metric] | undefined {
  const name = (Object.keys(keyStoreFigures) as KeyStoreFigureName[]).find(
    (each) => each === metricName,
  )
  if (name === undefined) return undefined
  const given = keyStoreFigures[name].dimensions.map((each) => values.get(each) ?? '')
  const storeId = values.get('CustomKeyStoreId') ?? ''
  const of = { storeId, name, dimensions: JSON.stringify(given) }
  return [keyStoreMetric(of), { kind: 'key-store', ...of }]
}

/**
 * Finds the metric with exactly this name and these dimensions, in any order; undefined if there is none.
 */
export function findMetric(name: {
  readonly Namespace?: string
  readonly MetricName?: string
  readonly Dimensions?: readonly Dimension[]
}): Metric | undefined {
  const dimensions = name.Dimensions ?? []
  const values = new Map(dimensions.map(({ Name, Value }) => [Name, Value]))
  const valueOf = (dimension: string): string => values.get(dimension) ?? ''
  const operation = valueOf('Operation')
  const source = valueOf('SourceKeyArn')
  const candidates: readonly [MetricName, Metric][] = [
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
  const figure = keyStoreFigureOf(name.MetricName ?? '', values)
  const found = [...candidates, ...(figure ? [figure] : [])].find(
    ([{ Namespace, MetricName, Dimensions }]) =>
      Namespace === name.Namespace &&
      MetricName === name.MetricName &&
      Dimensions.length === dimensions.length &&
      Dimensions.every(({ Name, Value }) => values.get(Name) === Value),
  )?.[1]
  if (found?.kind === 'requests' && !cryptographicOperations.has(found.operation)) return undefined
  return found?.kind === 'calls' && !callableOperations.has(found.operation) ? undefined : found
}
