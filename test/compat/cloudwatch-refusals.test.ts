/** CloudWatch's operations by the official SDK: who may, what is refused, and what each call leaves. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  type CloudWatchClient,
  type GetMetricDataInput,
} from '@aws-sdk/client-cloudwatch'
import { region } from '../harness.ts'
import { denied, openIdentities } from './identities.ts'
import { recordsOf } from './records.ts'
import { callByHand } from './signed-http.ts'
import { usageOf, watchClient } from './watching.ts'

const identities = await openIdentities({ after })
const { server } = identities
const root = watchClient({ after }, server)
const StartTime = new Date('2030-01-01T00:00:00Z')
const EndTime = new Date('2030-01-01T01:00:00Z')
const metric = {
  Namespace: 'AWS/Usage',
  MetricName: 'CallCount',
  Dimensions: usageOf('Encrypt'),
} as const

const statistics = (more: object = {}): GetMetricStatisticsCommand =>
  new GetMetricStatisticsCommand({
    ...metric,
    StartTime,
    EndTime,
    Period: 60,
    Statistics: ['Sum'],
    ...more,
  })
const query = (more: object = {}): object => ({
  Id: 'calls',
  MetricStat: { Metric: metric, Period: 60, Stat: 'Sum', ...more },
})
const data = (more: object = {}): GetMetricDataCommand =>
  new GetMetricDataCommand({
    MetricDataQueries: [query()],
    StartTime,
    EndTime,
    ...more,
  } as GetMetricDataInput)

const calls: readonly (readonly [string, (client: CloudWatchClient) => Promise<unknown>])[] = [
  ['ListMetrics', (client) => client.send(new ListMetricsCommand({ Namespace: 'AWS/KMS' }))],
  ['GetMetricStatistics', (client) => client.send(statistics())],
  ['GetMetricData', (client) => client.send(data())],
]

for (const [name, run] of calls) {
  test(`${name} needs the permission of its name, and leaves a record either way`, async () => {
    const action = `cloudwatch:${name}`
    const all = { Effect: 'Allow', Action: 'cloudwatch:*', Resource: '*' }
    const may = await identities.newUser(`may-${name}`, { ...all, Action: action })
    const others = calls.map(([other]) => `cloudwatch:${other}`).filter((other) => other !== action)
    const mayNot = await identities.newUser(`may-not-${name}`, { ...all, Action: others })
    await run(watchClient({ after }, server, { credentials: may.credentials }))
    await denied(
      run(watchClient({ after }, server, { credentials: mayNot.credentials })),
      'AccessDenied',
      400,
      `User: ${mayNot.arn} is not authorized to perform: ${action} ` +
        `because no identity-based policy allows the ${action} action`,
    )
    const records = (await recordsOf(server.directory)).filter(
      ({ eventSource, eventName }) =>
        eventSource === 'monitoring.amazonaws.com' && eventName === name,
    )
    const by = ({ arn }: { readonly arn: string }): unknown =>
      records
        .filter(({ userIdentity }) => userIdentity['arn'] === arn)
        .map(({ errorCode, readOnly, awsRegion }) => [errorCode, readOnly, awsRegion])
    assert.deepEqual(by(may), [[undefined, true, region]])
    assert.deepEqual(by(mayNot), [['AccessDenied', true, region]])
  })
}

const invalid = 'InvalidParameterValueException'
const combination = 'InvalidParameterCombinationException'

test('GetMetricStatistics refuses what it cannot tell in CloudWatch’s words', async () => {
  await root.send(statistics())
  const day = { EndTime: new Date('2030-01-02T00:00:00Z') }
  assert.equal((await root.send(statistics(day))).Label, 'CallCount')
  for (const [more, name, message] of [
    [{ EndTime: StartTime }, invalid, 'The parameter StartTime must not equal parameter EndTime.'],
    [
      { StartTime: EndTime, EndTime: StartTime },
      invalid,
      'The parameter StartTime must be less than the parameter EndTime.',
    ],
    [{ Period: 61 }, invalid, 'The parameter Period must be a multiple of 60.'],
    [
      { EndTime: new Date('2030-01-02T00:01:00Z') },
      combination,
      'You have requested up to 1,441 datapoints, which exceeds the limit of 1,440. You may reduce ' +
        'the datapoints requested by increasing Period, or decreasing the time range.',
    ],
    [
      { Statistics: undefined },
      combination,
      'Must specify either Statistics or ExtendedStatistics',
    ],
    [
      { ExtendedStatistics: ['p99'] },
      invalid,
      'The parameter ExtendedStatistics is not supported: there are no percentiles.',
    ],
  ] as const) {
    await denied(root.send(statistics(more)), name, 400, message)
  }
  for (const [more, message] of [
    [{ Period: 0 }, /Value '0' at 'period' failed to satisfy constraint/],
    [{ Namespace: ':' }, /'namespace' failed to satisfy constraint/],
    [{ MetricName: undefined }, /Value null at 'metricName'/],
    [{ Statistics: ['Median'] }, /'statistics\.1\.member' failed.*\[SampleCount, Average, Sum/],
  ] as const) {
    await denied(root.send(statistics(more)), 'ValidationException', 400, message)
  }
})

test('metrics that there are none of have no values, whatever they are called', async () => {
  for (const more of [
    { Namespace: 'AWS/EC2' },
    { MetricName: 'callcount' },
    { Dimensions: [] },
    { Dimensions: usageOf('constructor') },
    { Dimensions: [...usageOf('Encrypt'), { Name: 'More', Value: 'x' }] },
    { Namespace: 'AWS/KMS', MetricName: 'SuccessfulRequest', Dimensions: undefined },
    {
      Namespace: 'AWS/KMS',
      MetricName: 'SecondsUntilKeyMaterialExpiration',
      Dimensions: [{ Name: 'KeyId', Value: '../*' }],
    },
  ]) {
    const { Datapoints } = await root.send(statistics(more))
    assert.deepEqual(Datapoints, [])
    const [result] =
      (await root.send(data({ MetricDataQueries: [query({ Metric: { ...metric, ...more } })] })))
        .MetricDataResults ?? []
    assert.deepEqual([result?.Values, result?.StatusCode], [[], 'Complete'])
  }
})

test('GetMetricData refuses queries that it cannot answer, and tokens that are not its own', async () => {
  const place = 'MetricDataQueries.member.1'
  for (const [more, message] of [
    [{ MetricDataQueries: [] }, 'The collection MetricDataQueries must not be empty.'],
    [
      { MetricDataQueries: [query(), query()] },
      'The values for parameter id in MetricDataQueries are not unique.',
    ],
    [
      { MetricDataQueries: [{ ...query(), Id: 'Calls' }] },
      `The value for parameter ${place}.Id must match ^[a-z][a-zA-Z0-9_]*$.`,
    ],
    [
      { MetricDataQueries: [query({ Stat: 'p99' })] },
      `The value for parameter ${place}.MetricStat.Stat is not a valid statistic.`,
    ],
    [
      { MetricDataQueries: [query({ Period: 90 })] },
      `The parameter ${place}.MetricStat.Period must be a multiple of 60.`,
    ],
    [
      { MetricDataQueries: [{ Id: 'sum', Expression: 'SUM(METRICS())' }] },
      `The parameter ${place}.Expression is not supported: there is no metric math.`,
    ],
    [{ MetricDataQueries: [{ Id: 'none' }] }, `The parameter ${place}.MetricStat is required.`],
    [{ EndTime: StartTime }, 'The parameter StartTime must not equal parameter EndTime.'],
    [
      { MaxDatapoints: 100_801 },
      'The value for parameter MaxDatapoints must be between 1 and 100800.',
    ],
    [
      { MetricDataQueries: Array.from({ length: 501 }, (_, id) => ({ ...query(), Id: `m${id}` })) },
      /'metricDataQueries' failed.*length less than or equal to 500/,
    ],
  ] as const) {
    await denied(root.send(data(more)), 'ValidationException', 400, message)
  }
  const wrong = 'The next token is not valid.'
  await denied(root.send(data({ NextToken: 'none' })), 'InvalidNextToken', 400, wrong)
  const list = new ListMetricsCommand({ NextToken: 'none' })
  await denied(root.send(list), 'InvalidNextToken', 400, wrong)
})

test('CloudWatch is spoken in JSON 1.0, signed for its own name, and tells errors by their old names', async () => {
  const call = (
    type: string,
    target: string,
    service = 'monitoring',
  ): ReturnType<typeof callByHand> =>
    callByHand(server.port, '', {
      service,
      headers: {
        'content-type': `application/x-amz-json-${type}`,
        'X-Amz-Target': `GraniteServiceVersion20100801.${target}`,
      },
    })
  const good = await call('1.0', 'ListMetrics')
  assert.deepEqual([good.status, good.headers['content-type']], [200, 'application/x-amz-json-1.0'])
  for (const [answer, status, name, code] of [
    [await call('1.0', 'PutMetricData'), 400, 'UnknownOperationException', 'InvalidAction;Sender'],
    [await call('1.0', 'ListMetrics', 'kms'), 400, 'InvalidSignatureException', undefined],
    [await call('1.0', 'GetMetricData'), 400, 'ValidationException', 'ValidationError;Sender'],
    [await call('1.1', 'ListMetrics'), 400, 'UnknownOperationException', undefined],
  ] as const) {
    assert.equal(answer.status, status)
    assert.match(answer.text, new RegExp(`^{"__type":"${name}"`))
    if (code !== undefined) assert.equal(answer.headers['x-amzn-query-error'], code)
  }
})
