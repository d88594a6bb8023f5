#!/usr/bin/perl
# A browser without a screen, whose keys a test presses. Prints what has the focus.
#
#	keyboard.pl ADDRESS STEP... -- CHROMIUM OPTION...
#
# Steps, in their order:
#
#	dark        as one who prefers that
#	elements    a line for each element that a key may reach, in the order of the document
#	round       Tab until it has gone round; a line for each element that had the focus
#	to NAME     Tab until the element that begins so has it
#	back        Shift and Tab; a line
#	press KEY   Tab, Enter or Space, as on a keyboard; a line
#	type TEXT
#	address     what is behind the ? in it, once the page has come
#	open        how many <details> are open
#
# A line is the element (its tag, and href, name, id or text), and "hidden" if it is not wholly in the
# window, "ringless" if nothing shows that it has the focus: an outline of 2 pixels or more, whose
# contrast to what is behind it is 3 to 1 or more (WCAG 2.2, 2.4.13).
use strict;
use warnings;

use JSON::PP;
use POSIX ();

use constant {KEYS_MAX => 1000, SECONDS => 120};

my %keys = (
	Tab => {key => 'Tab', code => 'Tab', windowsVirtualKeyCode => 9},
	Enter => {key => 'Enter', code => 'Enter', windowsVirtualKeyCode => 13, text => "\r"},
	Space => {key => ' ', code => 'Space', windowsVirtualKeyCode => 32, text => ' '},
);

my $script = <<'END';
	var named = e => e === document.body ? "body" : e.localName + " " + (e.getAttribute("href")
		|| e.getAttribute("name") || e.id || e.textContent.trim().replace(/\s+/g, " "));
	var brightness = colour => colour.match(/[\d.]+/g).slice(0, 3).map(v => v / 255)
		.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	var behind = e => {
		for (e = e.parentElement; e; e = e.parentElement) {
			var colour = getComputedStyle(e).backgroundColor;
			if (!/, 0\)$/.test(colour))
				return colour;
		}
		return "rgb(255, 255, 255)";
	};
	var ringed = e => {
		var style = getComputedStyle(e);
		var both = [style.outlineColor, behind(e)].map(brightness).sort((a, b) => a - b);
		return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
			&& (both[1] + 0.05) / (both[0] + 0.05) >= 3;
	};
	var seen = e => {
		var box = e.getBoundingClientRect();
		return box.width > 0 && box.height > 0 && box.top >= 0 && box.left >= 0
			&& box.bottom <= innerHeight && box.right <= innerWidth;
	};
	var focus = () => {
		var e = document.activeElement;
		return named(e) + (e === document.body || seen(e) ? "" : " hidden")
			+ (e === document.body || ringed(e) ? "" : " ringless");
	};
	var elements = () => [...document.querySelectorAll("*")]
		.filter(e => e.tabIndex >= 0 && e.checkVisibility()).map(named).join("\n");
END

my ($to, $from, $browser, $session);
my ($messages, $buffer) = (0, '');
my $json = JSON::PP->new->utf8;

# The browser listens on descriptor 3 and answers on 4.
sub start {
	local $^F = 255;
	pipe(my $listens, $to) && pipe($from, my $answers) or die "pipe: $!\n";
	$browser = fork // die "fork: $!\n";
	if (!$browser) {
		POSIX::dup2(fileno $listens, 20);
		POSIX::dup2(fileno $answers, 21);
		POSIX::dup2(20, 3);
		POSIX::dup2(21, 4);
		POSIX::close($_) for 5 .. 30;
		exec @_ or die "$_[0]: $!\n";
	}
	close $listens;
	close $answers;
}

# A message ends with a zero octet.
sub message {
	my $end;

	while (($end = index $buffer, "\0") < 0) {
		sysread $from, $buffer, 65536, length $buffer or die "the browser has gone\n";
	}
	my $text = substr $buffer, 0, $end + 1, '';
	chop $text;
	return $json->decode($text);
}

sub ask {
	my ($method, %params) = @_;
	my $id = ++$messages;

	syswrite $to, $json->encode({id => $id, method => $method, params => \%params,
		$session ? (sessionId => $session) : ()}) . "\0";
	while (1) {
		my $answer = message();
		next if ($answer->{id} // 0) != $id;
		die "$method: $answer->{error}{message}\n" if $answer->{error};
		return $answer->{result};
	}
}

sub evaluate {
	my $result = ask('Runtime.evaluate', expression => "{ $script; $_[0] }");

	die "$_[0]: $result->{exceptionDetails}{exception}{description}\n" if $result->{exceptionDetails};
	return $result->{result}{value};
}

sub complete {
	select undef, undef, undef, 0.05 until evaluate('document.readyState') eq 'complete';
}

sub press {
	my ($key, %more) = @_;

	ask('Input.dispatchKeyEvent', type => $keys{$key}{text} ? 'keyDown' : 'rawKeyDown',
		%{$keys{$key}}, %more);
	ask('Input.dispatchKeyEvent', type => 'keyUp', %{$keys{$key}}, %more);
}

sub line {
	print evaluate('focus()'), "\n";
}

sub go_round {
	for (1 .. KEYS_MAX) {
		press('Tab');
		last if evaluate('document.activeElement === document.body');
		line();
	}
}

sub go_to {
	my ($name) = @_;

	for (1 .. KEYS_MAX) {
		press('Tab');
		return if index(evaluate('focus()'), $name) == 0;
	}
	die "no $name\n";
}

my %steps = (
	dark => sub {
		ask('Emulation.setEmulatedMedia',
			features => [{name => 'prefers-color-scheme', value => 'dark'}]);
	},
	elements => sub { print evaluate('elements()'), "\n" },
	round => \&go_round,
	to => sub { go_to(shift @{$_[0]}) },
	back => sub { press('Tab', modifiers => 8); line() },
	press => sub { press(shift @{$_[0]}); line() },
	type => sub { ask('Input.insertText', text => shift @{$_[0]}) },
	address => sub {
		select undef, undef, undef, 0.05 until evaluate('location.search');
		complete();
		print evaluate('location.search'), "\n";
	},
	open => sub { print evaluate('document.querySelectorAll("details[open]").length'), "\n" },
);

my $address = shift @ARGV;
my @wanted;
while (@ARGV && (my $word = shift @ARGV) ne '--') {
	push @wanted, $word;
}
$| = 1;
binmode STDOUT, ':utf8';
$SIG{ALRM} = sub { kill 'KILL', $browser if $browser; die "too slow\n" };
alarm SECONDS;
start(@ARGV, '--remote-debugging-pipe');
my $target = ask('Target.createTarget', url => 'about:blank');
$session = ask('Target.attachToTarget', targetId => $target->{targetId},
	flatten => JSON::PP::true)->{sessionId};
ask('Emulation.setFocusEmulationEnabled', enabled => JSON::PP::true);
ask('Page.navigate', url => $address);
complete();
while (defined(my $step = shift @wanted)) {
	($steps{$step} // die "no step $step\n")->(\@wanted);
}
$session = undef;
eval { ask('Browser.close') };
waitpid $browser, 0;
