/** The plain manifests of `deploy/kubernetes/`, as Kubernetes reads them. @module */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { root } from '../start/serve-process.ts'

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string; readonly scheme: string }
  readonly periodSeconds: number
  readonly failureThreshold: number
}

export interface Container {
  readonly image: string
  readonly args: readonly string[]
  readonly ports: readonly { readonly containerPort: number }[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly startupProbe: Probe
  readonly livenessProbe: Probe
  readonly readinessProbe: Probe
  readonly securityContext: object
  readonly volumeMounts: readonly {
    readonly name: string
    readonly mountPath: string
    readonly subPath?: string
  }[]
}

export interface PodSpec {
  readonly automountServiceAccountToken: boolean
  readonly enableServiceLinks: boolean
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number }
  readonly containers: readonly [Container]
  readonly volumes: readonly {
    readonly name: string
    readonly secret?: { readonly secretName: string; readonly defaultMode: number }
    readonly projected?: { readonly sources: readonly object[] }
  }[]
}

export interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: Readonly<Record<string, unknown>>
}

export function manifestsIn(text: string): readonly Manifest[] {
  // Kubernetes reads YAML 1.1, in which 0440 is octal.
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null)
}

export function plainManifests(name: string): readonly Manifest[] {
  return manifestsIn(readFileSync(join(root, 'deploy/kubernetes', name), 'utf8'))
}

/** Of the StatefulSet among the manifests. */
export function podSpecOf(manifests: readonly Manifest[]): PodSpec {
  const found = manifests.find(({ kind }) => kind === 'StatefulSet')
  assert.ok(found)
  return (found.spec['template'] as { readonly spec: PodSpec }).spec
}

export function environmentOf({
  containers: [{ env }],
}: PodSpec): Readonly<Record<string, string>> {
  return Object.fromEntries(env.map(({ name, value }) => [name, value]))
}
