/** Files on their way to a record: each with its progress, one after the other. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { activityKeys } from '@/api/activity';
import { newId } from '@/api/ids';
import type { EntityMeta } from '@/api/types';
import { attachFile } from '@/api/upload';
import { problemText } from '@/feedback/problem-text';
import { told } from '@/feedback/toasts';

export interface Upload {
  key: string;
  file: File;
  /** From 0 to 1. */
  done: number;
  error: string | null;
}

export function useUploads(entity: EntityMeta, id: string) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [uploads, setUploads] = useState<Upload[]>([]);
  const stops = useRef(new Map<string, AbortController>());
  const queue = useRef(Promise.resolve());
  useEffect(() => {
    const running = stops.current;
    return () => {
      for (const stop of running.values()) {
        stop.abort();
      }
    };
  }, []);
  const change = (key: string, next: Partial<Upload>) =>
    setUploads((all) => all.map((upload) => (upload.key === key ? { ...upload, ...next } : upload)));
  const forget = (key: string) => setUploads((all) => all.filter((upload) => upload.key !== key));

  const sendOne = async ({ key, file }: Upload): Promise<void> => {
    const stop = stops.current.get(key);
    if (!stop || stop.signal.aborted) {
      return;
    }
    try {
      await attachFile(entity.collection, id, file, {
        signal: stop.signal,
        onProgress: (done) => change(key, { done }),
      });
      forget(key);
      told(t('files.attached', { name: file.name }));
      await client.invalidateQueries({ queryKey: activityKeys.files(entity.name, id) });
    } catch (error) {
      if (!stop.signal.aborted) {
        change(key, { error: problemText(error, t) });
      }
    } finally {
      stops.current.delete(key);
    }
  };
  /** Resolves when all have been sent or have failed. */
  const enqueue = (batch: Upload[]): Promise<void> => {
    for (const { key } of batch) {
      stops.current.set(key, new AbortController());
    }
    // One at a time: the line is the same for all, and the first is there sooner.
    queue.current = batch.reduce((before, upload) => before.then(() => sendOne(upload)), queue.current);
    return queue.current;
  };
  return {
    uploads,
    add: (files: Iterable<File>): Promise<void> => {
      const batch = [...files].map((file): Upload => ({ key: newId(), file, done: 0, error: null }));
      setUploads((all) => [...all, ...batch]);
      return enqueue(batch);
    },
    stop: (key: string) => {
      stops.current.get(key)?.abort();
      forget(key);
    },
    retry: (upload: Upload) => {
      change(upload.key, { error: null, done: 0 });
      void enqueue([upload]);
    },
  };
}

export type Uploads = ReturnType<typeof useUploads>;
