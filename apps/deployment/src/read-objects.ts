import { parseAllDocuments } from 'yaml'
import type { KubeObject } from './kube-object.ts'

/**
 * Objects of a file with any number of documents. A key that stands twice in a map is an error, not the last one's value.
 * YAML 1.1, as the API server reads it: there `on` is true and 0440 is octal.
 * @throws Error naming the file and the line
 */
export function readObjects(text: string, file: string): KubeObject[] {
  return parseAllDocuments(text, { version: '1.1', uniqueKeys: true, merge: false }).flatMap((document, index) => {
    const [error] = document.errors
    if (error !== undefined) throw new Error(`${file}: ${error.message.trim()}`)
    const value: unknown = document.toJS()
    if (value === null || value === undefined) return []
    if (!isObject(value)) throw new Error(`${file}: document ${index + 1} is not an object with apiVersion and kind`)
    return [value as KubeObject]
  })
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'apiVersion' in value && 'kind' in value
}
