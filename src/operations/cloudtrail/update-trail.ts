/**
 * UpdateTrail — changes the settings of a trail, in its home Region.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
 * @module
 */
import type { UpdateTrailRequest, UpdateTrailResponse } from '@aws-sdk/client-cloudtrail'
import { required } from '../../model/shape.ts'
import { shownTrail } from './shown-trail.ts'
import { checkTrailName, onTrail, trailName, trailToChange } from './trail-names.ts'
import { trailOperation } from './trail-operation.ts'
import { checkSettings, settingMembers, settingsOf } from './trail-settings.ts'

export const updateTrail = trailOperation<UpdateTrailRequest, UpdateTrailResponse>()({
  name: 'UpdateTrail',
  input: { ...settingMembers, Name: required(trailName) },
  permissions: ({ Name }) => [onTrail('cloudtrail:UpdateTrail', Name)],
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
    'CloudTrailARNInvalidException',
    'InvalidS3BucketNameException',
    'InvalidS3PrefixException',
    'InvalidSnsTopicNameException',
    'InvalidParameterCombinationException',
    'UnsupportedOperationException',
    'AccessDeniedException',
    'InvalidHomeRegionException',
    'TrailNotFoundException',
    'OperationNotPermittedException',
    'S3BucketDoesNotExistException',
    'KmsKeyNotFoundException',
  ],
  check(input) {
    checkTrailName(input.Name)
    checkSettings(input)
  },
  run: (call, { trails }) =>
    call.commit(async (transaction) => {
      const { input, partition } = call
      const trail = await trailToChange(input.Name, call, transaction, trails)
      const settings = await settingsOf(input, trail, call, transaction, trails)
      const cleared = { prefix: undefined, topicArn: undefined, kmsKeyId: undefined }
      const changed = await transaction.updateTrail(trail, { ...cleared, ...settings })
      return shownTrail(partition, changed)
    }),
})
