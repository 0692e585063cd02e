/** Sending files, with how far it has got: the one request that `fetch` cannot do. */
import { address, readBody, renewSession, requestHeaders } from './client';
import { newId } from './ids';
import { offlineProblem, problemFrom } from './problem';
import { sawAnswer } from './saving';
import { session } from './session';
import type { FileData } from './types';

export interface UploadOptions {
  /** From 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

function sendOnce(path: string, file: File, key: string, options: UploadOptions): Promise<Response> {
  const { onProgress, signal } = options;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open('POST', address(path));
    requestHeaders('POST', key).forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    request.upload.onprogress = ({ lengthComputable, loaded, total }) => {
      if (lengthComputable && total > 0) {
        onProgress?.(loaded / total);
      }
    };
    request.onload = () => {
      const type = request.getResponseHeader('Content-Type') ?? '';
      const body = request.status === 204 ? null : request.responseText;
      resolve(
        new Response(body, {
          status: request.status,
          statusText: request.statusText,
          headers: { 'Content-Type': type },
        }),
      );
    };
    request.onerror = () => reject(offlineProblem(new Error('The upload was cut off.')));
    request.onabort = () => reject(new DOMException('The upload was stopped.', 'AbortError'));
    request.onloadend = () => signal?.removeEventListener('abort', stop);
    if (signal?.aborted) {
      reject(new DOMException('The upload was stopped.', 'AbortError'));
      return;
    }
    signal?.addEventListener('abort', stop);
    const form = new FormData();
    form.append('file', file, file.name);
    request.send(form);
  });
}

async function send(path: string, file: File, options: UploadOptions): Promise<FileData> {
  const key = newId();
  let response = await sendOnce(path, file, key, options);
  if (response.status === 401) {
    if (await renewSession()) {
      response = await sendOnce(path, file, key, options);
    }
    if (response.status === 401) {
      session.ended();
    }
  }
  const body = await readBody(response);
  const problem = response.ok ? null : problemFrom(response, body);
  sawAnswer(true, problem);
  if (problem) {
    throw problem;
  }
  const made = (body as { items?: FileData[] }).items?.[0];
  if (!made) {
    throw problemFrom(response, body);
  }
  return made;
}

/** Attaches a file to a record. */
export function attachFile(
  collection: string,
  id: string,
  file: File,
  options: UploadOptions = {},
): Promise<FileData> {
  return send(`/${collection}/${encodeURIComponent(id)}/files`, file, options);
}

/** A file for a field of type file or image: its id is what the field then holds. */
export function uploadFile(file: File, options: UploadOptions = {}): Promise<FileData> {
  return send('/files', file, options);
}
