/** Trail operations: who can create, change, see and delete which trail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId, region } from '../../store/records.ts'
import { arn, made, now, refused, world, type Answer } from './trail-world.ts'

test('a trail is made, shown, changed and ended', async (t) => {
  const run = await world(t)
  const answer = await run('CreateTrail', { ...made, S3KeyPrefix: 'logs/', SnsTopicName: 'files' })
  const shown = {
    Name: 'trail-1',
    S3BucketName: 'archive',
    S3KeyPrefix: 'logs',
    SnsTopicName: `arn:aws:sns:${region}:${accountId}:files`,
    SnsTopicARN: `arn:aws:sns:${region}:${accountId}:files`,
    IncludeGlobalServiceEvents: true,
    IsMultiRegionTrail: false,
    TrailARN: arn,
    LogFileValidationEnabled: false,
    IsOrganizationTrail: false,
  }
  assert.deepEqual(answer, shown)
  const described = {
    ...shown,
    HomeRegion: region,
    HasCustomEventSelectors: false,
    HasInsightSelectors: false,
  }
  assert.deepEqual(await run('GetTrail', { Name: 'trail-1' }), { Trail: described })
  assert.deepEqual(await run('DescribeTrails', { trailNameList: [arn] }), {
    trailList: [described],
  })
  assert.deepEqual(await run('ListTrails'), {
    Trails: [{ TrailARN: arn, Name: 'trail-1', HomeRegion: region }],
  })
  const changed = await run('UpdateTrail', {
    Name: arn,
    S3KeyPrefix: '',
    IsMultiRegionTrail: true,
    EnableLogFileValidation: true,
    KmsKeyId: '1234',
  })
  const { S3KeyPrefix: _, ...rest } = shown
  assert.deepEqual(changed, {
    ...rest,
    IsMultiRegionTrail: true,
    LogFileValidationEnabled: true,
    KmsKeyId: `arn:aws:kms:${region}:${accountId}:key/1234`,
  })
  await run('DeleteTrail', { Name: 'trail-1' })
  assert.deepEqual(await run('ListTrails'), { Trails: [] })
  await refused(
    run('DeleteTrail', { Name: 'trail-1' }),
    'TrailNotFoundException',
    `Unknown trail: trail-1 for the user: ${accountId}`,
  )
})

test('logging is started and stopped, and the status tells when', async (t) => {
  const run = await world(t)
  await run('CreateTrail', made)
  const status = () => run('GetTrailStatus', { Name: 'trail-1' })
  const { IsLogging, StartLoggingTime, TimeLoggingStarted } = await status()
  assert.deepEqual([IsLogging, StartLoggingTime, TimeLoggingStarted], [false, undefined, ''])
  await run('StartLogging', { Name: 'trail-1' })
  await run('StopLogging', { Name: arn })
  assert.deepEqual(await status(), {
    IsLogging: false,
    LatestDeliveryTime: new Date(now),
    StartLoggingTime: new Date(now),
    StopLoggingTime: new Date(now),
    LatestDeliveryAttemptTime: '2030-01-01T00:00:00Z',
    LatestDeliveryAttemptSucceeded: '2030-01-01T00:00:00Z',
    LatestNotificationAttemptTime: '',
    LatestNotificationAttemptSucceeded: '',
    TimeLoggingStarted: '2030-01-01T00:00:00Z',
    TimeLoggingStopped: '2030-01-01T00:00:00Z',
  })
  await run('StartLogging', { Name: 'trail-1' })
  assert.equal((await status())['IsLogging'], true)
})

test('selectors say what is taken, and KMS can be left out', async (t) => {
  const run = await world(t)
  await run('CreateTrail', made)
  const TrailName = 'trail-1'
  const plain = {
    ReadWriteType: 'All',
    IncludeManagementEvents: true,
    DataResources: [],
    ExcludeManagementEventSources: [],
  }
  assert.deepEqual(await run('GetEventSelectors', { TrailName }), {
    TrailARN: arn,
    EventSelectors: [plain],
  })
  const withoutKms = { ...plain, ExcludeManagementEventSources: ['kms.amazonaws.com'] }
  const put = (...EventSelectors: readonly object[]) =>
    run('PutEventSelectors', { TrailName, EventSelectors })
  const answer = await put({ ExcludeManagementEventSources: ['kms.amazonaws.com'] })
  assert.deepEqual(answer, { TrailARN: arn, EventSelectors: [withoutKms] })
  assert.deepEqual(await run('GetEventSelectors', { TrailName }), answer)
  const { trailList } = await run('DescribeTrails')
  assert.equal((trailList as readonly Answer[])[0]?.['HasCustomEventSelectors'], true)
  for (const wrong of [
    [],
    Array.from({ length: 6 }, () => plain),
    [{ ExcludeManagementEventSources: ['iam.amazonaws.com'] }],
    [{ DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }] }],
  ]) {
    await refused(put(...wrong), 'InvalidEventSelectorsException')
  }
  await refused(
    run('PutEventSelectors', { TrailName, AdvancedEventSelectors: [{ FieldSelectors: [] }] }),
    'UnsupportedOperationException',
  )
})

test('another Region sees a trail that covers it, by its ARN, and changes none', async (t) => {
  const run = await world(t)
  await run('CreateTrail', made)
  const away = { region: 'eu-west-1' }
  assert.deepEqual(await run('DescribeTrails', {}, away), { trailList: [] })
  await refused(run('GetTrail', { Name: arn }, away), 'TrailNotFoundException')
  await run('UpdateTrail', { Name: arn, IsMultiRegionTrail: true })
  const seen = async (input: object): Promise<number> =>
    ((await run('DescribeTrails', input, away))['trailList'] as readonly unknown[]).length
  assert.equal(await seen({}), 1)
  assert.equal(await seen({ trailNameList: [arn] }), 1)
  assert.equal(await seen({ trailNameList: ['trail-1'] }), 0)
  assert.equal(await seen({ includeShadowTrails: false }), 0)
  assert((await run('GetTrail', { Name: arn }, away))['Trail'])
  await refused(run('GetTrail', { Name: 'trail-1' }, away), 'TrailNotFoundException')
  for (const name of ['DeleteTrail', 'StartLogging', 'UpdateTrail']) {
    await refused(run(name, { Name: arn }, away), 'InvalidHomeRegionException')
  }
})

test('another account’s trail is unknown, whatever is done to it', async (t) => {
  const run = await world(t)
  await run('CreateTrail', made)
  const other = { account: '444455556666' }
  for (const name of ['GetTrail', 'GetTrailStatus', 'DeleteTrail', 'StopLogging']) {
    await refused(
      run(name, { Name: arn }, other),
      'TrailNotFoundException',
      `Unknown trail: ${arn} for the user: 444455556666`,
    )
  }
  assert.deepEqual(await run('DescribeTrails', { trailNameList: [arn] }, other), { trailList: [] })
})

test('what no trail can be made of is refused', async (t) => {
  const run = await world(t)
  const create = (more: object) => run('CreateTrail', { ...made, ...more })
  await refused(
    create({ S3BucketName: 'others' }),
    'S3BucketDoesNotExistException',
    'S3 bucket others does not exist!',
  )
  await refused(create({ S3BucketName: 'UPPER' }), 'InvalidS3BucketNameException')
  for (const S3KeyPrefix of [
    '../up',
    'a//b',
    'x'.repeat(201),
    'a/./b',
    '/a',
    'AWSLogs/444455556666',
    'a/awslogs',
  ]) {
    await refused(create({ S3KeyPrefix }), 'InvalidS3PrefixException')
  }
  for (const Name of ['ab', 'x'.repeat(129), '-ab', 'ab-', 'a b c', '192.168.5.4', 'a..b', '   ']) {
    await refused(create({ Name }), 'InvalidTrailNameException')
  }
  await refused(create({ SnsTopicName: 'https://example.com' }), 'InvalidSnsTopicNameException')
  await refused(create({ KmsKeyId: 'no-such-key' }), 'KmsKeyNotFoundException')
  await refused(
    create({ IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false }),
    'InvalidParameterCombinationException',
  )
  for (const more of [
    { IsOrganizationTrail: true },
    { CloudWatchLogsRoleArn: 'arn:aws:iam::111122223333:role/x' },
    { TagsList: [{ Key: 'a' }] },
  ]) {
    await refused(create(more), 'UnsupportedOperationException')
  }
  await refused(run('GetTrail', { Name: 'arn:aws:s3:::x' }), 'CloudTrailARNInvalidException')
  await create({})
  await refused(
    create({}),
    'TrailAlreadyExistsException',
    `Trail trail-1 already exists for customer: ${accountId}`,
  )
  for (const Name of ['t-2', 't-3', 't-4', 't-5']) await create({ Name })
  await refused(
    create({ Name: 't-6' }),
    'MaximumNumberOfTrailsExceededException',
    `User: ${accountId} already has 5 trails in ${region}.`,
  )
})
