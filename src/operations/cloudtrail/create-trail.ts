/**
 * CreateTrail — creates a trail, which delivers the account's records to a bucket that the operator
 * allows. Delivery begins with StartLogging.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
 * @module
 */
import type { CreateTrailRequest, CreateTrailResponse } from '@aws-sdk/client-cloudtrail'
import { KmsError } from '../../errors.ts'
import { defaultSelectors } from '../../model/trail.ts'
import { list, required, structure, text } from '../../model/shape.ts'
import { shownTrail } from './shown-trail.ts'
import { checkNewName, onTrail, trailName } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'
import { checkSettings, settingMembers, settingsOf } from './trail-settings.ts'

/** Maximum number of trails in one Region. */
const trailsMax = 5

export const createTrail = trailOperation<CreateTrailRequest, CreateTrailResponse>()({
  name: 'CreateTrail',
  input: {
    ...settingMembers,
    Name: required(trailName),
    S3BucketName: required(settingMembers.S3BucketName),
    TagsList: list(
      structure({ Key: required(text({ min: 1, max: 128 })), Value: text({ max: 256 }) }),
      { max: 200 },
    ),
  },
  permissions: ({ Name }) => [onTrail('cloudtrail:CreateTrail', Name)],
  readOnly: false,
  audit: [
    'Name',
    'S3BucketName',
    'S3KeyPrefix',
    'SnsTopicName',
    'IncludeGlobalServiceEvents',
    'IsMultiRegionTrail',
    'EnableLogFileValidation',
    'KmsKeyId',
    'IsOrganizationTrail',
  ],
  auditResponse: (answer) => ({ ...answer }),
  throws: [
    'ValidationException',
    'InvalidTrailNameException',
    'InvalidS3BucketNameException',
    'InvalidS3PrefixException',
    'InvalidSnsTopicNameException',
    'InvalidParameterCombinationException',
    'UnsupportedOperationException',
    'AccessDeniedException',
    'S3BucketDoesNotExistException',
    'KmsKeyNotFoundException',
    'TrailAlreadyExistsException',
    'MaximumNumberOfTrailsExceededException',
  ],
  check(input) {
    checkNewName(input.Name)
    checkSettings(input)
    if ((input.TagsList?.length ?? 0) > 0) {
      throw new KmsError('UnsupportedOperationException', 'TagsList is not supported')
    }
  },
  async run(call, { clock, store, trails }) {
    const { input, caller, region: homeRegion, partition } = call
    const { accountId } = caller
    const { Name: name, S3BucketName: bucket } = input
    const nothing = {
      bucket,
      multiRegion: false,
      includeGlobalServiceEvents: true,
      logFileValidation: false,
    }
    const settings = await settingsOf(input, nothing, call, store, trails)
    const trail = {
      accountId,
      homeRegion,
      name,
      ...settings,
      selectors: defaultSelectors,
      isLogging: false,
      createdAt: clock.now(),
    }
    return call.commit(async (transaction) => {
      const present = (await transaction.listTrails(accountId)).filter(
        (other) => other.homeRegion === homeRegion || other.multiRegion,
      )
      const operator = trails.operatorTrail(accountId)
      if ([...present, ...(operator ? [operator] : [])].some((other) => other.name === name)) {
        const message = `Trail ${name} already exists for customer: ${accountId}`
        throw new KmsError('TrailAlreadyExistsException', message)
      }
      if (present.length >= trailsMax) {
        throw new KmsError(
          'MaximumNumberOfTrailsExceededException',
          `User: ${accountId} already has ${trailsMax} trails in ${homeRegion}.`,
        )
      }
      await transaction.insertTrail(trail)
      return shownTrail(partition, trail)
    })
  },
})
