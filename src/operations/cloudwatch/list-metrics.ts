/**
 * ListMetrics — lists the metrics of an account and Region that had values in the last two weeks.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
 * @module
 */
import type { ListMetricsInput, ListMetricsOutput } from '@aws-sdk/client-cloudwatch'
import { boolean, list, oneOf, required, structure } from '../../model/shape.ts'
import { listedMetrics, type ListedFrom } from './listed-metrics.ts'
import type { MetricName } from './metric-names.ts'
import {
  accountName,
  dimensionName,
  dimensionValue,
  metricName,
  namespace,
  nextToken,
} from './members.ts'
import { metricOperation } from './metric-operation.ts'
import { openMetricToken } from './metric-token.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

const metricsMax = 500

interface Filter {
  readonly Namespace?: string
  readonly MetricName?: string
  readonly Dimensions?: readonly { readonly Name: string; readonly Value?: string }[]
}

export const listMetrics = metricOperation<ListMetricsInput, ListMetricsOutput>()({
  name: 'ListMetrics',
  input: {
    Namespace: namespace,
    MetricName: metricName,
    Dimensions: list(structure({ Name: required(dimensionName), Value: dimensionValue }), {
      max: 10,
    }),
    NextToken: nextToken,
    RecentlyActive: oneOf(['PT3H']),
    IncludeLinkedAccounts: boolean(),
    OwningAccount: accountName,
  },
  permissions: () => [{ action: 'cloudwatch:ListMetrics', unnamedResource: true }],
  readOnly: true,
  audit: [
    'Namespace',
    'MetricName',
    'Dimensions',
    'NextToken',
    'RecentlyActive',
    'IncludeLinkedAccounts',
    'OwningAccount',
  ],
  throws: ['ValidationException', 'AccessDeniedException', 'InvalidParameterValueException'],
  async run({ input, caller: { accountId }, region }, dependencies) {
    const { NextToken, IncludeLinkedAccounts: linked, OwningAccount: owner, ...filter } = input
    const place = { accountId, region }
    const question = JSON.stringify(['ListMetrics', place, filter, owner])
    const from = openMetricToken(dependencies.pages, question, NextToken) as ListedFrom | undefined
    const ofOthers = owner !== undefined && owner !== accountId
    const page = ofOthers ? { metrics: [] } : await readPage(from, place, filter, dependencies)
    const { metrics, next } = page
    return {
      Metrics: metrics,
      ...(linked && { OwningAccounts: metrics.map(() => accountId) }),
      ...(next && { NextToken: dependencies.pages.seal(question, JSON.stringify(next)) }),
    }
  },
})

/** Maximum metrics examined for one page. If few match, the page is not full. */
const lookedAtMax = 10 * metricsMax

async function readPage(
  from: ListedFrom | undefined,
  place: { readonly accountId: string; readonly region: string },
  filter: Filter & { readonly RecentlyActive?: string },
  dependencies: OperationDependencies,
): Promise<{ readonly metrics: MetricName[]; readonly next?: ListedFrom }> {
  const metrics: MetricName[] = []
  const recent = filter.RecentlyActive !== undefined
  const keyArn = filter.Dimensions?.find(({ Name }) => Name === 'KeyArn')?.Value
  let next: ListedFrom | undefined = from ?? { of: 'expiration' }
  let lookedAt = 0
  while (next !== undefined && metrics.length < metricsMax && lookedAt < lookedAtMax) {
    const limit = metricsMax - metrics.length
    const listed = await listedMetrics(next, { ...place, limit, recent, keyArn }, dependencies)
    metrics.push(...listed.metrics.filter((metric) => fits(metric, filter)))
    lookedAt += listed.metrics.length
    next = listed.next
  }
  return { metrics, ...(next && { next }) }
}

/** Whether a metric matches every name and dimension of the filter. */
function fits(metric: MetricName, { Namespace, MetricName, Dimensions = [] }: Filter): boolean {
  return (
    (Namespace === undefined || Namespace === metric.Namespace) &&
    (MetricName === undefined || MetricName === metric.MetricName) &&
    Dimensions.every(({ Name, Value }) =>
      metric.Dimensions.some(
        (own) => own.Name === Name && (Value === undefined || own.Value === Value),
      ),
    )
  )
}
