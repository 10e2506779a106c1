// The launcher of warm/client.py as a binary, for whoever starts thousands of plugins: it takes 2 ms of processor time,
// an interpreter 9.
//
//	launch CLIENT PYTHON HOME CODE [arguments of the plugin ...]
//
// What it sends, and what comes back, is told in client.py. Where it cannot be the same as that one, it becomes it: no
// server answers, or the locale is one that Python has its own rules for.
package main

import (
	"encoding/binary"
	"errors"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const poll = 250 * time.Millisecond

var errRefused = errors.New("no server has started the plugin")

func main() {
	if len(os.Args) < 5 {
		_, _ = os.Stderr.WriteString("usage: launch CLIENT PYTHON HOME CODE [ARGUMENT ...]\n")
		os.Exit(2)
	}
	parent := os.Getppid()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM) // passed on once there is a plugin to pass them on to
	client, python, home := os.Args[1], os.Args[2], os.Args[3]
	line, err := started(client, python, home, os.Args[4:])
	if err != nil {
		signal.Reset()
		select {
		case number := <-signals:
			_ = syscall.Kill(os.Getpid(), number.(syscall.Signal))
		default:
		}
		command := append([]string{python, "-I", "-S", client, home}, os.Args[4:]...)
		_ = syscall.Exec(python, command, os.Environ())
		os.Exit(127)
	}
	go passOn(line, signals)
	go endWith(parent)
	os.Exit(waited(line))
}

// started returns the line to a server that has started the plugin.
func started(client, python, home string, start []string) (int, error) {
	if !plainLocale() {
		return 0, errRefused
	}
	here, err := syscall.Open(".", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	line, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := syscall.Chdir(home); err != nil { // an address has room for a hundred bytes
		return 0, err
	}
	err = syscall.Connect(line, &syscall.SockaddrUnix{Name: "warm"})
	if back := syscall.Fchdir(here); err == nil {
		err = back
	}
	if err != nil {
		return 0, err
	}
	body := request(client, python, start)
	length := binary.BigEndian.AppendUint64(nil, uint64(len(body)))
	if err := syscall.Sendmsg(line, length, syscall.UnixRights(0, 1, 2, here), nil, 0); err != nil {
		return 0, err
	}
	for len(body) > 0 {
		sent, err := syscall.Write(line, body)
		if err != nil {
			return 0, err
		}
		body = body[sent:]
	}
	answer := make([]byte, 1)
	if read(line, answer) != 1 || answer[0] != '+' {
		return 0, errRefused
	}
	return line, nil
}

// plainLocale tells whether Python's standard streams are UTF-8 that escapes what is none: sure of this locale alone.
func plainLocale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := os.Getenv(name); value != "" {
			return value == "C.UTF-8"
		}
	}
	return false
}

func request(client, python string, start []string) []byte {
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	code, arguments := start[0], start[1:]
	fields := []string{client, python, "utf-8", "surrogateescape", strconv.Itoa(mask), code, strconv.Itoa(len(arguments))}
	fields = append(fields, arguments...)
	for _, variable := range os.Environ() {
		if strings.Contains(variable, "=") {
			fields = append(fields, variable)
		}
	}
	return []byte(strings.Join(fields, "\x00") + "\x00")
}

func passOn(line int, signals <-chan os.Signal) {
	for number := range signals {
		_, _ = syscall.Write(line, []byte{byte(number.(syscall.Signal))}) // or the server has gone, and the plugin with it
	}
}

// endWith ends this process with the engine, as the plugin does: after a kill -9 nobody interrupts it.
func endWith(parent int) {
	for os.Getppid() == parent {
		time.Sleep(poll)
	}
	os.Exit(1)
}

// waited returns the plugin's exit code.
func waited(line int) int {
	answer, piece := "", make([]byte, 16)
	for {
		count := read(line, piece)
		if count <= 0 {
			break
		}
		answer += string(piece[:count])
	}
	code, err := strconv.Atoi(answer)
	if err != nil {
		return 1
	}
	if code < 0 {
		return 128 - code
	}
	return code
}

func read(line int, piece []byte) int {
	for {
		count, err := syscall.Read(line, piece)
		if !errors.Is(err, syscall.EINTR) {
			return count
		}
	}
}
