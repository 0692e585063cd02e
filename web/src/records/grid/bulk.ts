/** Changing and deleting many records at once: each succeeds or fails by itself, and says so. */
import { useQueryClient } from '@tanstack/react-query';
import { dropRecords, putRecords, readFromTop } from '@/api/record-cache';
import { bulkWrite, recordKeys, restoreRecord } from '@/api/records';
import type { BulkOperation, BulkResult, EntityMeta, ProblemDocument, RecordData } from '@/api/types';

export interface Outcome {
  record: RecordData;
  problem: ProblemDocument | null;
}

export interface BulkReport {
  outcomes: Outcome[];
  done: RecordData[];
  failed: Outcome[];
}

export function editOperations(records: RecordData[], field: string, value: unknown): BulkOperation[] {
  // The version on screen goes along: what somebody else changed meanwhile is merged or reported, not lost.
  return records.map(({ id, version }) => ({ op: 'update', id, version, data: { [field]: value } }));
}

export function deleteOperations(records: RecordData[]): BulkOperation[] {
  return records.map(({ id }) => ({ op: 'delete', id }));
}

export function reportOf(records: RecordData[], results: BulkResult[]): BulkReport {
  const outcomes = records.map((record, index): Outcome => {
    const result = results[index];
    if (result && result.status < 400) {
      return { record: result.record ?? record, problem: null };
    }
    const unanswered: ProblemDocument = { type: 'about:blank', title: '', status: 0 };
    return { record, problem: result?.problem ?? unanswered };
  });
  return {
    outcomes,
    done: outcomes.filter(({ problem }) => problem === null).map(({ record }) => record),
    failed: outcomes.filter(({ problem }) => problem !== null),
  };
}

export function useBulk(entity: EntityMeta) {
  const client = useQueryClient();
  const lists = recordKeys.lists(entity.name);
  const run = async (
    records: RecordData[],
    operations: BulkOperation[],
    onProgress?: (done: number) => void,
  ): Promise<BulkReport> => {
    let report: BulkReport;
    try {
      report = reportOf(records, await bulkWrite(entity, operations, onProgress));
    } catch (error) {
      // The answer got lost; what of it the server has written must be read.
      await readFromTop(client, lists);
      throw error;
    }
    const ids = report.done.map(({ id }) => id);
    if (operations[0]?.op === 'delete') {
      dropRecords(client, entity.name, ids);
    } else {
      putRecords(client, entity.name, report.done);
    }
    for (const id of ids) {
      void client.invalidateQueries({ queryKey: recordKeys.record(entity.name, id) });
    }
    return report;
  };
  const restore = async (records: RecordData[]): Promise<number> => {
    const results = await Promise.allSettled(records.map(({ id }) => restoreRecord(entity, id)));
    // Where they belong in each list only the server knows.
    await readFromTop(client, lists);
    return results.filter(({ status }) => status === 'fulfilled').length;
  };
  return { run, restore };
}
