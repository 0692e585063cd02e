/** Changing and deleting many records at once: each succeeds or fails by itself, and says so. */
import { useQueryClient } from '@tanstack/react-query';
import { dropRecords, putRecords, readFromTop } from '@/api/record-cache';
import { bulkWrite, recordKeys } from '@/api/records';
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

function restoreOperations(records: RecordData[]): BulkOperation[] {
  return records.map(({ id }) => ({ op: 'restore', id }));
}

/** A parent takes its parts along, deleted and brought back: for those selected too nothing is left to do. */
function isDoneAlready(operation: BulkOperation | undefined, result: BulkResult): boolean {
  return result.status === 404 && (operation?.op === 'delete' || operation?.op === 'restore');
}

export function reportOf(
  records: RecordData[],
  operations: BulkOperation[],
  results: BulkResult[],
): BulkReport {
  const outcomes = records.map((record, index): Outcome => {
    const result = results[index];
    if (result && (result.status < 400 || isDoneAlready(operations[index], result))) {
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
      report = reportOf(records, operations, await bulkWrite(entity, operations, onProgress));
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
    const operations = restoreOperations(records);
    try {
      return reportOf(records, operations, await bulkWrite(entity, operations)).done.length;
    } finally {
      // Where they belong in each list only the server knows.
      await readFromTop(client, lists);
    }
  };
  return { run, restore };
}
