/** The task that deletes a service-linked role, as its id tells of it. @module */
export const taskEnds = ['SUCCEEDED', 'FAILED'] as const
export type TaskEnd = (typeof taskEnds)[number]

/** Tasks are over when they are answered: an id holds how its task ended. */
export interface DeletionTasks {
  /** The UUID of a new task. @param scope what was to be deleted, and by which account */
  begin(scope: string, end: TaskEnd): string
  /** Undefined for an id that is of no task of this scope. */
  endOf(scope: string, uuid: string): TaskEnd | undefined
}

interface DeletionTask {
  /** `<service>/<role name>`: what it was that was deleted. */
  readonly deleted: string
  readonly uuid: string
}

/** `task/aws-service-role/<service>/<role name>/<UUID>`; undefined for what is none. */
export function readDeletionTask(id: string): DeletionTask | undefined {
  const [, deleted, uuid] =
    /^task\/aws-service-role\/([\w.-]+\/[\w+=,.@-]+)\/([0-9a-f-]{36})$/.exec(id) ?? []
  return deleted === undefined || uuid === undefined ? undefined : { deleted, uuid }
}

export function deletionTaskId({ deleted, uuid }: DeletionTask): string {
  return `task/aws-service-role/${deleted}/${uuid}`
}

/** What the id of a deletion task is bound to. */
export function deletionScope(accountId: string, deleted: string): string {
  return JSON.stringify(['DeleteServiceLinkedRole', accountId, deleted])
}
