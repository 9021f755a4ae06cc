/** Text of enabling, disabling and deleting keys. @module */

export const actionsText = {
  enable: 'Enable',
  disable: 'Disable',
  schedule: 'Schedule key deletion',
  cancelDeletion: 'Cancel key deletion',
  failed: 'Not every key could be changed',
  done: {
    enable: (count: number): string =>
      count === 1 ? 'The key is enabled' : `${count} keys are enabled`,
    disable: (count: number): string =>
      count === 1 ? 'The key is disabled' : `${count} keys are disabled`,
    cancel: (count: number): string =>
      count === 1
        ? 'The deletion is cancelled. The key is disabled: enable it to use it again.'
        : `The deletion of ${count} keys is cancelled. They are disabled: enable them to use them again.`,
    schedule: (count: number): string =>
      count === 1 ? 'The key is pending deletion' : `${count} keys are pending deletion`,
  },
  disableTitle: (count: number): string => (count === 1 ? 'Disable key' : `Disable ${count} keys`),
  disableBody:
    'A disabled key cannot be used in cryptographic operations. What it has encrypted cannot be decrypted until you enable it again.',
  disableConfirm: 'Confirm that you want to disable the selected keys',
  scheduleTitle: 'Schedule key deletion',
  scheduleWarning:
    'Deleting a KMS key makes all data that was encrypted under it unrecoverable. To take a key out of use and keep its data, disable it instead.',
  lastUse: 'Last use of these keys',
  notUsedSince: 'Not used since',
  usedAt: 'Last used',
  usedBy: 'by',
  userUnknown: 'a principal that you cannot look up',
  tooMany: (most: number): string =>
    `Choose at most ${most} keys. You see who used each of them last, and when, before you schedule its deletion.`,
  useUnknown: 'The last use could not be read',
  waiting: 'Waiting period (in days)',
  waitingHint: 'From 7 to 30. Until it ends, you can cancel the deletion.',
  waitingWrong: 'Enter a whole number from 7 to 30',
  confirm: (days: string): string =>
    `Confirm that you want to schedule these keys for deletion after ${days} days`,
} as const
